package specs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// validate checks every document of a YAML text.
func validate(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var value any
		if err := decoder.Decode(&value); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(value); err != nil {
			return err
		}
	}
}

func TestSchemaTakesTheGood(t *testing.T) {
	s := compileSchema(t)
	good := map[string]string{"good repository": goodRepository, "good share": goodShare}
	for name, content := range everyField {
		if path.Ext(name) == ".yaml" {
			good["every field: "+name] = content
		}
	}
	for name, content := range exampleSpecs(t) {
		good["examples/"+name] = content
		modeline := "# yaml-language-server: $schema=" + strings.Repeat("../", strings.Count(name, "/")+1) + "specs/schema.json\n"
		if !strings.HasPrefix(content, modeline) {
			t.Errorf("examples/%s does not start with the line %s", name, modeline)
		}
	}
	for name, content := range good {
		if err := validate(t, s, content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// exampleSpecs are the files that the example repositories are read from.
func exampleSpecs(t *testing.T) map[string]string {
	t.Helper()
	examples := os.DirFS("../examples")
	roots, err := fs.Glob(examples, "*/"+RepositoryFile)
	if err != nil || len(roots) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	specs := map[string]string{}
	for _, root := range roots {
		fsys, err := fs.Sub(examples, path.Dir(root))
		if err != nil {
			t.Fatal(err)
		}
		repo, problems := Load(fsys)
		if repo == nil {
			t.Fatalf("%s: %v", root, Errors(problems))
		}
		names := []string{RepositoryFile}
		for _, share := range repo.Shares {
			names = append(names, share.Pos.File)
		}
		for _, name := range names {
			content, err := fs.ReadFile(fsys, name)
			if err != nil {
				t.Fatal(err)
			}
			specs[path.Dir(root)+"/"+name] = string(content)
		}
	}
	return specs
}

// The schema knows the forms of values, but not what spans several: of the bad
// inputs it must refuse at least these.
func TestSchemaRefusesTheBad(t *testing.T) {
	s := compileSchema(t)
	for name, f := range map[string]files{
		"unknown field":           repo("kind: Repository", "kind: Repository\nsize: 3"),
		"unknown field of spec":   repo("  deployRole:", "  deployrole:"),
		"account id as a number":  repo(`"111111111111"`, "111111111111"),
		"account id too short":    repo(`"111111111111"`, `"1"`),
		"region misspelt":         repo("us-east-1", "us-esat-1"),
		"tag of ours":             repo("  accounts:", "  tags: {xshare:a: b}\n  accounts:"),
		"tag is a number":         repo("  accounts:", "  tags: {a: 1}\n  accounts:"),
		"include as a text":       repo("  accounts:", "  include: a\n  accounts:"),
		"kind of another tool":    share("kind: Share", "kind: Deployment"),
		"version of tomorrow":     share("xshare/v1", "xshare/v2"),
		"bucket in upper case":    share("sales-data", "Sales"),
		"no account":              share("    account: lake\n", ""),
		"access misspelt":         share("[read]", "[raed]"),
		"access twice":            share("[read]", "[read, read]"),
		"neither access":          share("      access: [read]\n", ""),
		"trust and trustPolicy":   share("trust: ec2", "trust: ec2\n        trustPolicy: t.json"),
		"trust far off":           share("trust: ec2", "trust: everybody"),
		"prefix without slash":    share("access: [read]", "access: [read]\n      prefixes: [in]"),
		"prefix with slash first": share("access: [read]", "access: [read]\n      prefixes: [/in/]"),
		"create is a word":        share("create: true", "create: yes"),
		"role as an ARN":          share("name: reader", "name: arn:aws:iam::222222222222:role/reader:x"),
		"instance without name":   instance("{type: t3.micro}"),
		"instance by id and name": instance("{id: i-01234567, name: a}"),
		"subnet bad":              instance("{name: a, subnet: private}"),
	} {
		if err := validate(t, s, f[f[""]]); err == nil {
			t.Errorf("%s: the schema takes it", name)
		}
	}
}

// What the walk over the decoder goes down into.

func (o *one[T, P]) elem() object { return P(&o.value) }

func (l *many[T, P]) elem() object { return P(new(T)) }

func (d *dict[T, P]) elem() target { return P(new(T)) }

// The decoder and the schema know the same fields, need the same, and every
// field has its help.
func TestSchemaKnowsTheFields(t *testing.T) {
	var doc struct {
		Defs map[string]struct {
			Properties           map[string]map[string]any
			Required             []string
			AdditionalProperties *bool
		} `json:"$defs"`
	}
	if err := json.Unmarshal(Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var walk func(o object)
	walk = func(o object) {
		seen[o.def()] = true
		def := doc.Defs[o.def()]
		if def.AdditionalProperties == nil || *def.AdditionalProperties {
			t.Errorf("%s: the schema takes unknown fields", o.def())
		}
		var names, needed []string
		for _, f := range o.fields() {
			names = append(names, f.name)
			if f.need {
				needed = append(needed, f.name)
			}
			if help, _ := def.Properties[f.name]["description"].(string); len(help) < 20 {
				t.Errorf("%s.%s: no help in the schema: %q", o.def(), f.name, help)
			}
			switch to := f.to.(type) {
			case interface{ elem() object }:
				walk(to.elem())
			case interface{ elem() target }:
				if inner, ok := to.elem().(interface{ elem() object }); ok {
					walk(inner.elem())
				}
			}
		}
		slices.Sort(names)
		if known := slices.Sorted(maps.Keys(def.Properties)); !slices.Equal(names, known) {
			t.Errorf("%s: the decoder knows %q, the schema %q", o.def(), names, known)
		}
		slices.Sort(needed)
		slices.Sort(def.Required)
		if !slices.Equal(needed, def.Required) {
			t.Errorf("%s: the decoder needs %q, the schema %q", o.def(), needed, def.Required)
		}
	}
	walk(new(rawRepository))
	walk(new(rawShare))
	for name, def := range doc.Defs {
		if def.Properties != nil && !seen[name] {
			t.Errorf("the schema has an object %s that the decoder does not read", name)
		}
	}
	if len(seen) != 12 {
		t.Errorf("the walk met %d objects: %q", len(seen), slices.Sorted(maps.Keys(seen)))
	}
}
