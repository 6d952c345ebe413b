// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"fmt"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// The messages of the protocol, read and written by the protobuf library itself: the client under test has a codec of
// its own, so each side checks the other.
const descriptor = `
name: "plugin.proto" package: "plugin" syntax: "proto3"
message_type { name: "AppStreamRequest"
  field { name: "metadata" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".plugin.ManifestRequestMetadata" oneof_index: 0 }
  field { name: "file" number: 2 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".plugin.File" oneof_index: 0 }
  oneof_decl { name: "request" } }
message_type { name: "ManifestRequestMetadata"
  field { name: "appName" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "appRelPath" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "checksum" number: 3 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "size" number: 4 label: LABEL_OPTIONAL type: TYPE_INT64 }
  field { name: "env" number: 5 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".plugin.EnvEntry" } }
message_type { name: "EnvEntry"
  field { name: "name" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "value" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING } }
message_type { name: "File" field { name: "chunk" number: 1 label: LABEL_OPTIONAL type: TYPE_BYTES } }
message_type { name: "ManifestResponse"
  field { name: "manifests" number: 1 label: LABEL_REPEATED type: TYPE_STRING }
  field { name: "sourceType" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING } }
message_type { name: "RepositoryResponse"
  field { name: "isSupported" number: 1 label: LABEL_OPTIONAL type: TYPE_BOOL }
  field { name: "isDiscoveryEnabled" number: 2 label: LABEL_OPTIONAL type: TYPE_BOOL } }
message_type { name: "CheckPluginConfigurationResponse"
  field { name: "isDiscoveryConfigured" number: 1 label: LABEL_OPTIONAL type: TYPE_BOOL }
  field { name: "provideGitCreds" number: 2 label: LABEL_OPTIONAL type: TYPE_BOOL } }
message_type { name: "ParametersAnnouncementResponse"
  field { name: "parameterAnnouncements" number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".plugin.ParameterAnnouncement" } }
message_type { name: "ParameterAnnouncement"
  field { name: "name" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "title" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "tooltip" number: 3 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "required" number: 4 label: LABEL_OPTIONAL type: TYPE_BOOL }
  field { name: "itemType" number: 5 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "collectionType" number: 6 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "string" number: 7 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "array" number: 8 label: LABEL_REPEATED type: TYPE_STRING }
  field { name: "map" number: 9 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".plugin.ParameterAnnouncement.MapEntry" }
  nested_type { name: "MapEntry" options { map_entry: true }
    field { name: "key" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
    field { name: "value" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING } } }
message_type { name: "Empty" }
`

var messages = parseDescriptor()

func parseDescriptor() protoreflect.MessageDescriptors {
	var file descriptorpb.FileDescriptorProto
	if err := prototext.Unmarshal([]byte(descriptor), &file); err != nil {
		panic(fmt.Sprintf("the descriptor above: %v", err))
	}
	parsed, err := protodesc.NewFile(&file, nil)
	if err != nil {
		panic(fmt.Sprintf("the descriptor above: %v", err))
	}
	return parsed.Messages()
}

func newMessage(name protoreflect.Name) *dynamicpb.Message {
	return dynamicpb.NewMessage(messages.ByName(name))
}

func get(m protoreflect.Message, field protoreflect.Name) protoreflect.Value {
	return m.Get(m.Descriptor().Fields().ByName(field))
}

func has(m protoreflect.Message, field protoreflect.Name) bool {
	return m.Has(m.Descriptor().Fields().ByName(field))
}

func setBool(m proto.Message, field protoreflect.Name, value bool) {
	r := m.ProtoReflect()
	r.Set(r.Descriptor().Fields().ByName(field), protoreflect.ValueOfBool(value))
}

// list returns a repeated field to be added to.
func list(m proto.Message, field protoreflect.Name) protoreflect.List {
	r := m.ProtoReflect()
	return r.Mutable(r.Descriptor().Fields().ByName(field)).List()
}
