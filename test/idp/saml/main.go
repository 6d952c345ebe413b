// SPDX-License-Identifier: Apache-2.0

// Command saml is a SAML 2.0 identity provider (crewjam's samlidp) on a free port of 127.0.0.1, for tests. It reads one JSON document
// from its input: the metadata of a service provider and the people who may sign in. It writes one line of JSON: its address and
// its certificate. It ends when its input does.
package main

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/crewjam/saml/samlidp"
)

// config is what is read.
type config struct {
	// Metadata is that of the service provider, as XML.
	Metadata string         `json:"metadata"`
	People   []samlidp.User `json:"people"`
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	input := bufio.NewReader(os.Stdin)
	line, err := input.ReadString('\n')
	if err != nil {
		return err
	}
	var c config
	if err := json.Unmarshal([]byte(line), &c); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	idp, cert, err := provider("http://" + l.Addr().String())
	if err != nil {
		return err
	}
	server := &http.Server{Handler: idp, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	if err := fill("http://"+l.Addr().String(), c); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"address": "http://" + l.Addr().String(), "certificate": cert}); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, input)
	return err
}

// provider makes one with a certificate of its own.
func provider(address string) (*samlidp.Server, string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a provider of a test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, "", err
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, "", err
	}
	at, err := url.Parse(address)
	if err != nil {
		return nil, "", err
	}
	idp, err := samlidp.New(samlidp.Options{URL: *at, Key: key, Certificate: cert, Store: &samlidp.MemoryStore{}, Logger: log.New(os.Stderr, "", 0)})
	if err == nil {
		idp.IDP.LoginURL = idp.IDP.SSOURL // its form goes on with the request at hand
	}
	return idp, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})), err
}

// fill tells the provider of its people and of the service, by its own API.
func fill(address string, c config) error {
	for _, person := range c.People {
		data, err := json.Marshal(person)
		if err != nil {
			return err
		}
		if err := put(address+"/users/"+url.PathEscape(person.Name), string(data)); err != nil {
			return err
		}
	}
	return put(address+"/services/bowline", c.Metadata)
}

func put(address, body string) error {
	request, err := http.NewRequest(http.MethodPut, address, strings.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode >= http.StatusBadRequest {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("%s: %s: %s", address, answer.Status, text)
	}
	return nil
}
