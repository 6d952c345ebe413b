// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var description = grpc.ServiceDesc{
	ServiceName: "plugin.ConfigManagementPluginService",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "CheckPluginConfiguration", Handler: handleConfiguration}},
	Streams: []grpc.StreamDesc{
		{StreamName: "GenerateManifest", ClientStreams: true, Handler: withCopy((*Server).generate)},
		{StreamName: "MatchRepository", ClientStreams: true, Handler: withCopy((*Server).match)},
		{StreamName: "GetParametersAnnouncement", ClientStreams: true, Handler: withCopy((*Server).announce)},
	},
}

//nolint:revive // the order of arguments is grpc's
func handleConfiguration(srv any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	s := srv.(*Server)
	if err := decode(newMessage("Empty")); err != nil {
		return nil, err
	}
	answer := newMessage("CheckPluginConfigurationResponse")
	setBool(answer, "isDiscoveryConfigured", s.config.discovers())
	setBool(answer, "provideGitCreds", s.config.Spec.ProvideGitCreds)
	return answer, nil
}

// withCopy unpacks what is streamed, answers, and removes the copy.
func withCopy(answer func(*Server, context.Context, *job) (proto.Message, error)) grpc.StreamHandler {
	return func(srv any, stream grpc.ServerStream) error {
		s := srv.(*Server)
		j, err := s.receive(stream)
		if err != nil {
			return fmt.Errorf("error receiving stream: %w", err)
		}
		defer j.remove()
		m, err := answer(s, stream.Context(), j)
		if err != nil {
			return err
		}
		return stream.SendMsg(m)
	}
}

func (s *Server) generate(ctx context.Context, j *job) (proto.Message, error) {
	if len(s.config.Spec.Init.Command) > 0 {
		if _, err := s.run(ctx, s.config.Spec.Init, j); err != nil {
			return nil, fmt.Errorf("error generating manifests: %w", err)
		}
	}
	out, err := s.run(ctx, s.config.Spec.Generate, j)
	if err != nil {
		return nil, fmt.Errorf("error generating manifests: %w", err)
	}
	answer := newMessage("ManifestResponse")
	for _, document := range strings.Split(out, "\n---\n") {
		list(answer, "manifests").Append(protoreflect.ValueOfString(document))
	}
	return answer, nil
}

func (s *Server) match(ctx context.Context, j *job) (proto.Message, error) {
	supported, err := s.matches(ctx, j)
	if err != nil {
		return nil, fmt.Errorf("match repository error: %w", err)
	}
	answer := newMessage("RepositoryResponse")
	setBool(answer, "isSupported", supported)
	setBool(answer, "isDiscoveryEnabled", s.config.discovers())
	return answer, nil
}

// matches goes by the first rule there is, in the order that Argo CD documents.
func (s *Server) matches(ctx context.Context, j *job) (bool, error) {
	d := s.config.Spec.Discover
	switch {
	case d.FileName != "":
		found, err := filepath.Glob(filepath.Join(j.folder, d.FileName))
		return len(found) > 0, err
	case d.Find.Glob != "":
		found, err := doublestar.FilepathGlob(filepath.Join(j.folder, d.Find.Glob))
		return len(found) > 0, err
	case len(d.Find.Command) > 0:
		out, err := s.run(ctx, d.Find.command, j)
		if err != nil {
			return false, fmt.Errorf("error running find command: %w", err)
		}
		return out != "", nil
	}
	return false, nil
}

func (s *Server) announce(ctx context.Context, j *job) (proto.Message, error) {
	var all []json.RawMessage
	if dynamic := s.config.Spec.Parameters.Dynamic; len(dynamic.Command) > 0 {
		out, err := s.run(ctx, dynamic, j)
		if err != nil {
			return nil, fmt.Errorf("get parameters announcement error: %w", err)
		}
		if err := json.Unmarshal([]byte(out), &all); err != nil {
			return nil, errors.New("the dynamic parameters are no JSON list")
		}
	}
	all = append(all, s.config.Spec.Parameters.Static...)
	answer := newMessage("ParametersAnnouncementResponse")
	parameters := list(answer, "parameterAnnouncements")
	for _, text := range all {
		element := parameters.NewElement()
		if err := protojson.Unmarshal(text, element.Message().Interface()); err != nil {
			return nil, fmt.Errorf("a parameter: %w", err)
		}
		parameters.Append(element)
	}
	return answer, nil
}
