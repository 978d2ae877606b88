package specs

import (
	"bytes"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// What is written is read as the same shares, with each default stated and left
// out.
func TestWrittenIsReadAsTheSame(t *testing.T) {
	china := func(f files) files { return f.in(RepositoryFile).edit("us-east-1", "cn-north-1") }
	for name, files := range map[string]files{
		"every field":                     everyField,
		"two shares":                      two("", ""),
		"an instance by its defaults":     instance("{name: a}"),
		"a profile turned off":            share("trust: ec2", "trust: ec2\n        instanceProfile: false"),
		"the profile of an existing role": share("        create: true\n        trust: ec2\n", "        instanceProfile: true\n"),
		"a lambda's role":                 share("trust: ec2", "trust: lambda"),
		"a lambda's role with a profile":  share("trust: ec2", "trust: lambda\n        instanceProfile: true"),
		"a service principal":             share("trust: ec2", "trust: glue.amazonaws.com"),
		"EC2 in China":                    china(share("", "")),
		"EC2 in China by its other name":  china(share("trust: ec2", "trust: ec2.amazonaws.com")),
		"an existing bucket's region":     share("account: lake", "account: lake\n    region: us-east-1"),
		"a number for a name":             share("name: sales\n", "name: \"0123\"\n"),
	} {
		t.Run(name, func(t *testing.T) {
			fsys := files.fs()
			repo, problems := Load(fsys)
			if err := Errors(problems); err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if err := Write(&text, repo.Shares); err != nil {
				t.Fatal(err)
			}
			file := ""
			for _, share := range repo.Shares {
				file = share.Pos.File
				delete(fsys, file)
			}
			fsys[file] = &fstest.MapFile{Data: text.Bytes()}
			again, problems := Load(fsys)
			if err := Errors(problems); err != nil {
				t.Fatalf("%v\n%s", err, text.Bytes())
			}
			if diff := cmp.Diff(repo.Shares, again.Shares, noPositions); diff != "" {
				t.Errorf("-want +got:\n%s\n%s", diff, text.Bytes())
			}
			if err := validate(t, compileSchema(t), text.String()); err != nil {
				t.Error(err)
			}
			if problems, err := Check(repo, repo.Shares); err != nil || Errors(problems) != nil {
				t.Errorf("they are found to be bad: %v %v", Errors(problems), err)
			}
		})
	}
}

// What Load would refuse of a share is found by itself, and a good share is good.
func TestCheck(t *testing.T) {
	repo := mustLoad(t, share("", "").fs())
	good := repo.Shares[0]
	if problems, err := Check(repo, []*Share{good}); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	for name, change := range map[string]func(*Share){
		"bucket":       func(s *Share) { s.Bucket.Name = "Legacy_Bucket" },
		"prefix":       func(s *Share) { s.Consumers[0].Prefixes = []string{"a\u00ad/"} },
		"service role": func(s *Share) { s.Consumers[0].Role = Role{Name: "x", Path: "/aws-service-role/a.amazonaws.com/"} },
	} {
		bad := *good
		consumer := *good.Consumers[0]
		bad.Consumers = []*Consumer{&consumer}
		change(&bad)
		if problems, err := Check(repo, []*Share{&bad}); err != nil || Errors(problems) == nil {
			t.Errorf("%s: %v %v", name, problems, err)
		}
	}
}

func TestIsPrefixAndOwner(t *testing.T) {
	for v, want := range map[string]bool{"in/": true, "in": false, "a\u00ad/": false, "": false} {
		if IsPrefix(v) != want {
			t.Errorf("IsPrefix(%q)", v)
		}
	}
	for v, want := range map[string]bool{"data team": true, "a\u2028b": false, "": false, "a#b": false} {
		if IsOwner(v) != want {
			t.Errorf("IsOwner(%q)", v)
		}
	}
}

func TestWriteNothing(t *testing.T) {
	var text bytes.Buffer
	if err := Write(&text, nil); err != nil || text.Len() > 0 {
		t.Errorf("%q, %v", text.String(), err)
	}
}
