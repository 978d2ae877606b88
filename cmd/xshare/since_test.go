package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/xshare/xshare/specs"
)

// sinceRepository is a repository with shares, each written as "name bucket
// role access"; edit is made in its own file.
func sinceRepository(t *testing.T, edit *strings.Replacer, shares ...string) *specs.Repository {
	t.Helper()
	files := fstest.MapFS{"xshare.yaml": {Data: []byte(edit.Replace(`apiVersion: xshare/v1
kind: Repository
metadata: {name: acme}
spec:
  region: us-east-1
  deployRole: deployer
  accounts:
    lake: {id: "111111111111"}
    far:  {id: "222222222222"}
`))}, "shares/none.yaml": {}}
	for _, share := range shares {
		f := strings.Fields(share)
		files["shares/"+f[0]+".yaml"] = &fstest.MapFile{Data: []byte(`apiVersion: xshare/v1
kind: Share
metadata: {name: ` + f[0] + `}
spec:
  bucket: {name: ` + f[1] + `, account: lake}
  consumers:
    - account: far
      role: {name: ` + f[2] + `}
      access: [` + f[3] + `]
`)}
	}
	repo, problems := specs.Load(files)
	if repo == nil {
		t.Fatal(specs.Errors(problems))
	}
	return repo
}

func TestCompareSince(t *testing.T) {
	none := strings.NewReplacer()
	a, b, c := "a bucket-a role-a read", "b bucket-b role-b read", "c bucket-c role-b read"
	for name, test := range map[string]struct {
		was, now     []string
		edit         *strings.Replacer
		want, former string
	}{
		"nothing":                    {[]string{a, b}, []string{a, b}, none, "", ""},
		"order of words":             {[]string{"a bucket-a role-a read,list"}, []string{"a bucket-a role-a list,read"}, none, "", ""},
		"changed":                    {[]string{a, b}, []string{a + ",write", b}, none, "a", "a"},
		"new":                        {[]string{a}, []string{a, b}, none, "b", ""},
		"gone":                       {[]string{a, b}, []string{b}, none, "", "a"},
		"gone, and met on the role":  {[]string{a, b, c}, []string{a, b}, none, "b", "c"},
		"new, and met on the role":   {[]string{a, b}, []string{a, b, c}, none, "b c", ""},
		"met on the bucket":          {[]string{a, "d bucket-a role-d read"}, []string{a + ",write", "d bucket-a role-d read"}, none, "a d", "a"},
		"met where it was":           {[]string{a, b, c}, []string{a, b, "c bucket-c role-c read"}, none, "b c", "c"},
		"met by what is met: no":     {[]string{a, "d bucket-a role-b read", b}, []string{a + ",write", "d bucket-a role-b read", b}, none, "a d", "a"},
		"renamed":                    {[]string{a}, []string{"z bucket-a role-a read"}, none, "z", "a"},
		"tags":                       {[]string{a, b}, []string{a, b}, strings.NewReplacer("  accounts:", "  tags: {x: y}\n  accounts:"), "a b", ""},
		"an account":                 {[]string{a, b}, []string{a, b}, strings.NewReplacer(`"222222222222"`, `"222222222222", region: eu-west-1`), "a b", "a b"},
		"an account that none uses":  {[]string{a, b}, []string{a, b}, strings.NewReplacer("  accounts:\n", "  accounts:\n    new: {id: \"333333333333\"}\n"), "", ""},
		"the name":                   {[]string{a, b}, []string{a, b}, strings.NewReplacer("{name: acme}", "{name: acme2, formerNames: [acme]}"), "a b", ""},
		"lines moved, comment added": {[]string{a, b}, []string{a, b}, strings.NewReplacer("spec:\n", "# more\nspec:\n\n"), "", ""},
		"a lock":                     {[]string{a, b}, []string{a, b}, strings.NewReplacer("  accounts:", "  lock: {bucket: locks, account: lake}\n  accounts:"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			was, now := sinceRepository(t, none, test.was...), sinceRepository(t, test.edit, test.now...)
			s := compareSince(was, now)
			if got := strings.Join(slices.Sorted(maps.Keys(s.selected)), " "); got != test.want {
				t.Errorf("selected %q, want %q", got, test.want)
			}
			var former []string
			for _, share := range s.former {
				former = append(former, share.Name)
			}
			if got := strings.Join(former, " "); got != test.former {
				t.Errorf("former %q, want %q", got, test.former)
			}
			if same := sameRepository(was, now); same != (name == "nothing" || name == "order of words" || name == "lines moved, comment added") {
				t.Errorf("the repositories are the same: %t", same)
			}
		})
	}
}
