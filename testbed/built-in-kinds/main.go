// Writes embedded/src/lambda_embedded/api/kinds/built_in.json: the built-in kinds that the embedded platform's
// Kubernetes API serves, as Kubernetes' own Go types say them, one message a line. Beside its OpenAPI schema
// a property has its `number` in protobuf and whether Go can tell its absence from zero (`pointer`); `inline`
// names the messages whose properties are in JSON those of the message they are in. To make it anew:
//
//	go run . > ../../embedded/src/lambda_embedded/api/kinds/built_in.json
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

var kinds = []any{
	core.Namespace{}, core.ConfigMap{}, core.Secret{}, core.ServiceAccount{}, core.Event{}, core.Pod{},
	batch.Job{}, meta.DeleteOptions{}, authorization.SelfSubjectAccessReview{},
	authorization.SelfSubjectRulesReview{}, authentication.SelfSubjectReview{},
}

// Types that are not in JSON what they are in Go and in protobuf.
var scalars = map[reflect.Type]schema{
	reflect.TypeFor[meta.Time]():            {"type": "string", "format": "date-time"},
	reflect.TypeFor[meta.MicroTime]():       {"type": "string", "format": "date-time"},
	reflect.TypeFor[resource.Quantity]():    {"type": "string", "format": "quantity"},
	reflect.TypeFor[intstr.IntOrString]():   {"type": "string", "format": "int-or-string"},
	reflect.TypeFor[meta.FieldsV1]():        {"type": "object", "format": "raw"},
	reflect.TypeFor[runtime.RawExtension](): {"type": "object", "format": "raw"},
	reflect.TypeFor[[]byte]():               {"type": "string", "format": "byte"},
}

type schema map[string]any

var definitions = map[string]schema{}

func main() {
	for _, kind := range kinds {
		define(reflect.TypeOf(kind))
	}
	fmt.Print("{")
	for index, key := range slices.Sorted(maps.Keys(definitions)) {
		var line bytes.Buffer
		out := json.NewEncoder(&line)
		out.SetEscapeHTML(false)
		if err := out.Encode(definitions[key]); err != nil {
			panic(err)
		}
		if index > 0 {
			fmt.Print(",")
		}
		fmt.Printf("\n%q: %s", key, strings.TrimSpace(line.String()))
	}
	fmt.Println("\n}")
}

func name(of reflect.Type) string {
	parts := strings.Split(of.PkgPath(), "/")
	return "io." + strings.Join(append([]string{"k8s"}, parts[1:]...), ".") + "." + of.Name()
}

func define(of reflect.Type) string {
	key := name(of)
	if _, known := definitions[key]; known {
		return key
	}
	properties, inline, required := schema{}, schema{}, []string{}
	definition := schema{"properties": properties}
	definitions[key] = definition
	docs := documentation(of)
	if text := docs[""]; text != "" {
		definition["description"] = text
	}
	for i := range of.NumField() {
		field := of.Field(i)
		json, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		number := protobufNumber(field)
		if json == "" {
			if number > 0 {
				inline[strconv.Itoa(number)] = define(field.Type)
			}
			continue
		}
		property := describe(field.Type)
		if text := docs[json]; text != "" {
			property["description"] = text
		}
		if number > 0 {
			property["number"] = number
		}
		if field.Type.Kind() == reflect.Pointer {
			property["pointer"] = true
		}
		for tag, key := range map[string]string{"patchStrategy": "strategy", "patchMergeKey": "merge-key"} {
			if value := field.Tag.Get(tag); value != "" {
				property["x-kubernetes-patch-"+key] = value
			}
		}
		properties[json] = property
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			required = append(required, json)
		}
	}
	if len(inline) > 0 {
		definition["inline"] = inline
	}
	if len(required) > 0 {
		definition["required"] = required
	}
	return key
}

func describe(of reflect.Type) schema {
	if scalar, found := scalars[of]; found {
		copied := schema{}
		for key, value := range scalar {
			copied[key] = value
		}
		return copied
	}
	switch of.Kind() {
	case reflect.Pointer:
		return describe(of.Elem())
	case reflect.Slice:
		return schema{"type": "array", "items": describe(of.Elem())}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": describe(of.Elem())}
	case reflect.Struct:
		return schema{"$ref": define(of)}
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int32, reflect.Int64:
		return schema{"type": "integer", "format": of.Kind().String()}
	}
	panic("no schema for " + of.String())
}

func protobufNumber(field reflect.StructField) int {
	parts := strings.Split(field.Tag.Get("protobuf"), ",")
	if len(parts) < 2 {
		return 0
	}
	number, err := strconv.Atoi(parts[1])
	if err != nil {
		panic(err)
	}
	return number
}

func documentation(of reflect.Type) map[string]string {
	if documented, ok := reflect.New(of).Elem().Interface().(interface{ SwaggerDoc() map[string]string }); ok {
		return documented.SwaggerDoc()
	}
	return nil
}
