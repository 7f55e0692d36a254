// Writes types.txt: what the sandbox knows of the built-in kinds' fields. JSON names, Go kinds, protobuf numbers and
// strategic merge keys come from the struct tags of the published API types; list and map types from a running API
// server's OpenAPI documents, in the directory that the one argument names. `cargo xtask schema` runs it on those of a real
// API server that it starts.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"

	admissionregistration "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	autoscaling "k8s.io/api/autoscaling/v1"
	autoscaling2 "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	certificates "k8s.io/api/certificates/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	events "k8s.io/api/events/v1"
	flowcontrol "k8s.io/api/flowcontrol/v1"
	networking "k8s.io/api/networking/v1"
	node "k8s.io/api/node/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	resource "k8s.io/api/resource/v1"
	scheduling "k8s.io/api/scheduling/v1"
	storage "k8s.io/api/storage/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

type schema struct {
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
	Default    json.RawMessage    `json:"default"`
	List       string             `json:"x-kubernetes-list-type"`
	Keys       []string           `json:"x-kubernetes-list-map-keys"`
	Map        string             `json:"x-kubernetes-map-type"`
	Ref        string             `json:"$ref"`
	AllOf      []*schema          `json:"allOf"`
}

var (
	openapi = map[string]*schema{}
	lines   = map[string]string{}
)

// Types that are values of their own in JSON.
var values = map[string]string{
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time": "T", "k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime": "U",
	"k8s.io/apimachinery/pkg/api/resource.Quantity": "Q", "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "E",
	"k8s.io/apimachinery/pkg/runtime.RawExtension": "R", "k8s.io/apimachinery/pkg/apis/meta/v1.Duration": "D",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":                                         "R",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON":                         "R",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray":       "R",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool":        "R",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "R",
}

func name(t reflect.Type) string {
	parts := strings.Split(t.PkgPath(), "/")
	group := parts[len(parts)-2]
	if v := parts[len(parts)-1]; v != "v1" {
		group += "/" + v
	}
	return group + "." + t.Name()
}

func component(t reflect.Type) *schema {
	path := strings.Split(t.PkgPath(), "/")
	host := strings.Split(path[0], ".")
	parts := []string{host[1], host[0]}
	return openapi[strings.Join(append(append(parts, path[1:]...), t.Name()), ".")]
}

func describe(t reflect.Type) string {
	if v, ok := values[t.PkgPath()+"."+t.Name()]; ok {
		return v
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + describe(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "B"
		}
		return "[" + describe(t.Elem())
	case reflect.Map:
		return "{" + describe(t.Elem())
	case reflect.String:
		return "s"
	case reflect.Bool:
		return "b"
	case reflect.Float32, reflect.Float64:
		return "f"
	case reflect.Int32:
		return "i"
	case reflect.Int, reflect.Int64:
		return "l"
	case reflect.Struct:
		visit(t)
		return name(t)
	}
	panic(t.String())
}

func visit(t reflect.Type) {
	if _, ok := lines[name(t)]; ok {
		return
	}
	lines[name(t)] = ""
	doc := component(t)
	title := t.Name()
	title = name(t)
	if doc != nil && doc.Map == "atomic" {
		title += "!"
	}
	lines[name(t)] = title + fields(t, doc)
}

func fields(t reflect.Type, doc *schema) string {
	out := ""
	for i := 0; i < t.NumField(); i++ {
		f := t.Field(i)
		tag := strings.Split(f.Tag.Get("json"), ",")
		number := strings.Split(f.Tag.Get("protobuf"), ",")
		if f.Type.Name() == "TypeMeta" || tag[0] == "-" || f.PkgPath != "" {
			continue
		}
		if tag[0] == "" {
			if len(number) > 1 {
				out += " @" + "=" + describe(f.Type) + "#" + number[1]
			} else {
				out += fields(f.Type, doc)
			}
			continue
		}
		out += " " + tag[0] + "=" + describe(f.Type)
		if len(number) > 1 {
			out += "#" + number[1]
		}
		options := strings.Join(tag[1:], ",")
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			out += "|always"
		}
		if strings.Contains(options, "omitzero") {
			out += "|zero"
		}
		strategy := f.Tag.Get("patchStrategy")
		if strings.Contains(strategy, "merge") {
			key := f.Tag.Get("patchMergeKey")
			if key == "" {
				key = "*"
			}
			out += "|patch=" + key
		}
		if strings.Contains(strategy, "retainKeys") {
			out += "|retain"
		}
		if doc == nil || doc.Properties[tag[0]] == nil {
			continue
		}
		field := doc.Properties[tag[0]]
		if field.Map == "atomic" {
			out += "|atomic"
		}
		switch field.List {
		case "set":
			out += "|set"
		case "map":
			item := f.Type.Elem()
			var keys []string
			for _, key := range field.Keys {
				if d := inside(item, key); d != "" {
					key += ":" + d
				}
				keys = append(keys, key)
			}
			out += "|map=" + strings.Join(keys, ",")
		}
	}
	return out
}

func inside(t reflect.Type, key string) string {
	if doc := component(t); doc != nil && doc.Properties[key] != nil {
		return string(doc.Properties[key].Default)
	}
	return ""
}

func main() {
	files, _ := filepath.Glob(filepath.Join(os.Args[1], "*.json"))
	for _, file := range files {
		var doc struct {
			Components struct {
				Schemas map[string]*schema `json:"schemas"`
			} `json:"components"`
		}
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &doc)
		}
		if err != nil {
			panic(fmt.Sprint(file, ": ", err))
		}
		for name, schema := range doc.Components.Schemas {
			openapi[name] = schema
		}
	}
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		admissionregistration.AddToScheme, apps.AddToScheme, authentication.AddToScheme, authorization.AddToScheme, autoscaling.AddToScheme,
		autoscaling2.AddToScheme, batch.AddToScheme, certificates.AddToScheme, coordination.AddToScheme, core.AddToScheme, discovery.AddToScheme,
		events.AddToScheme, flowcontrol.AddToScheme, networking.AddToScheme, node.AddToScheme, policy.AddToScheme, rbac.AddToScheme,
		resource.AddToScheme, scheduling.AddToScheme, storage.AddToScheme, apiextensions.AddToScheme,
	} {
		if err := add(known); err != nil {
			panic(err)
		}
	}
	var roots []string
	for kind, t := range known.AllKnownTypes() {
		version := kind.GroupVersion().String()
		if strings.HasSuffix(kind.Kind, "List") || strings.HasSuffix(kind.Kind, "Options") && kind.Kind != "DeleteOptions" || version == "__internal" ||
			kind.Kind == "WatchEvent" || kind.Kind == "InternalEvent" || strings.Contains(version, "__internal") || kind.Kind == "DeleteOptions" && version != "v1" {
			continue
		}
		visit(t)
		roots = append(roots, "kind "+version+" "+kind.Kind+" "+name(t))
	}
	sort.Strings(roots)
	fmt.Println("# Generated by main.go; its head says how. The parser, src/machinery/registry/types.rs, explains the marks.")
	fmt.Println(strings.Join(roots, "\n"))
	var types []string
	for _, line := range lines {
		types = append(types, line)
	}
	sort.Strings(types)
	fmt.Println(strings.Join(types, "\n"))
}
