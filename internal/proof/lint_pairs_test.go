package proof_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// validated are the problems that `xshare validate` tells of a repository. files
// are more files, as names and texts in turn.
func validated(shares string, files ...string) []specs.Problem {
	fsys := fstest.MapFS{
		specs.RepositoryFile: {Data: []byte(offlineRepository)},
		"shares/s.yaml":      {Data: []byte(shares)},
	}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	repo, problems := specs.Load(fsys)
	if repo == nil {
		return problems
	}
	p, more := plan.Build(repo, func(string) bool { return true })
	return slices.Concat(problems, more, proof.Offline(repo, p))
}

// codesInFile are the codes of the problems in one file, sorted.
func codesInFile(file string, problems []specs.Problem) []string {
	codes := []string{}
	for _, p := range problems {
		if p.Source.File == file {
			codes = append(codes, p.Code)
		}
	}
	slices.Sort(codes)
	return codes
}

// trustShare has a role in account 111111111111 with the trust policy of t.json.
func trustShare(profile bool) string {
	return offlineShare("s", "lake", fmt.Sprintf("{account: lake, role: {name: r, create: true, trustPolicy: t.json, instanceProfile: %v}, access: read}", profile))
}

func wholeTrust(text string) string {
	if whole, ok := strings.CutPrefix(text, "!"); ok {
		return whole
	}
	return `{"Version":"2012-10-17","Statement":[` + text + `]}`
}

// trustFiles are trust policies with the codes that validate tells of them: all
// of those that are held to the lints, and what a file is refused for before.
func trustFiles() map[string]struct{ text, want string } {
	all := map[string]struct{ text, want string }{
		"no JSON":               {"!{", "policy-syntax"},
		"Effect in lower case":  {strings.Replace(trustService("ec2.amazonaws.com"), "Allow", "allow", 1), "policy-syntax"},
		"nobody":                {`{"Effect":"Allow","Action":"sts:AssumeRole"}`, "no-principal"},
		"nobody on a resource":  {`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`, "no-principal"},
		"the same Sid":          {strings.Repeat(`{"Sid":"A",`+trustService("ec2.amazonaws.com")[1:]+",", 2) + trustService("ec2.amazonaws.com"), "duplicate-sid"},
		"roles by a pattern":    {trustAWS("arn:aws:iam::222222222222:role/*", ""), "wildcard-principal"},
		"services by a pattern": {trustService("*.amazonaws.com"), "wildcard-principal"},
		"a deleted role":        {trustAWS("AROAEXAMPLEEXAMPLE123", ""), "dead-principal"},
		"an account cut":        {trustAWS("arn:aws:iam::22222:root", ""), "refused-principal"},
		"another partition":     {trustAWS("arn:aws-cn:iam::222222222222:role/r", ""), "wrong-partition"},
		"all but one action":    {strings.Replace(trustService("ec2.amazonaws.com"), `"Action"`, `"NotAction"`, 1), "allow-not-action"},
		"a variable of 2008":    {`!{"Statement":` + trustAWS("arn:aws:iam::222222222222:role/r", `"StringEquals":{"sts:RoleSessionName":"${aws:username}"}`) + `}`, "variables-2008"},
		"all values":            {trustAWS("arn:aws:iam::222222222222:role/r", `"ForAllValues:StringEquals":{"aws:TagKeys":"team"}`), "for-all-values"},
	}
	for name, c := range lintCases {
		if c.kind == proof.TrustPolicy {
			all[name] = struct{ text, want string }{c.text, c.want}
		}
	}
	for name, c := range openTrusts {
		all[name] = struct{ text, want string }{c.text, c.want}
	}
	for name, text := range goodTrusts {
		all[name] = struct{ text, want string }{text, ""}
	}
	return all
}

// The lints of trust policies are what validate tells of their files.
func TestTrustFiles(t *testing.T) {
	for name, c := range trustFiles() {
		t.Run(name, func(t *testing.T) {
			problems := validated(trustShare(false), "t.json", wholeTrust(c.text))
			want := strings.Fields(c.want)
			slices.Sort(want)
			if got := codesInFile("t.json", problems); !slices.Equal(got, want) {
				t.Errorf("told %v, want %v:\n%v", got, want, problems)
			}
			for _, p := range problems {
				if row, ok := proof.LintOf(p.Code); !ok || row.Severity != p.Severity || p.Mend == "" {
					t.Errorf("%+v is not as in the table, or has no mend", p)
				}
			}
		})
	}
}

// A lint that is an error hides no other.
func TestLintsAreToldTogether(t *testing.T) {
	consumer := func(role, file string) string {
		return fmt.Sprintf("{account: analytics, role: {name: %s, create: true, trustPolicy: %s}, access: read, actions: [s3:PutBucketPolicy]}", role, file)
	}
	problems := validated(offlineShare("s", "lake", consumer("a", "a.json"), consumer("b", "b.json")),
		"a.json", wholeTrust(strings.Replace(trustAny(""), "Allow", "allow", 1)), "b.json", wholeTrust(trustAny("")))
	for file, want := range map[string][]string{
		"shares/s.yaml": {"no-instance-profile", "owners-only", "owners-only"}, "a.json": {"policy-syntax"}, "b.json": {"public-trust"},
	} {
		if got := codesInFile(file, problems); !slices.Equal(got, want) {
			t.Errorf("of %s it tells %v, want %v", file, got, want)
		}
	}
}

// Every row of the table is true: for each kind that it names, what it names is
// found by that code.
func TestLintsAreFound(t *testing.T) {
	found := map[string]bool{} // by code and kind
	for _, c := range lintCases {
		if c.kind == proof.TrustPolicy {
			continue // in a file, as a user has it
		}
		for _, f := range proof.LintPolicy(c.kind, lintDocument(t, c.text), lintSubject()) {
			found[string(f.Code)+" "+string(c.kind)] = true
		}
	}
	told := func(kind, file string, problems []specs.Problem) {
		for _, code := range codesInFile(file, problems) {
			found[code+" "+kind] = true
		}
	}
	for _, c := range trustFiles() {
		told("trust", "t.json", validated(trustShare(false), "t.json", wholeTrust(c.text)))
	}
	told("trust", "t.json", validated(trustShare(true), "t.json", wholeTrust(trustService("glue.amazonaws.com"))))

	const shares = "shares/s.yaml"
	told("grants", shares, validated(trustShare(false), "t.json", wholeTrust(trustService("ec2.amazonaws.com"))))
	told("grants", shares, validated(offlineShare("s", "lake", "{account: analytics, role: {name: r}, actions: [s3:PutBucketPolicy]}")))
	told("grants", shares, validated(offlineShare("s", "lake", "{account: analytics, role: {name: r}, actions: [s3:PutObjectAcl, s3:PutBucketTagging], prefixes: [in/]}")))
	var many strings.Builder
	for i := range 11 {
		many.WriteString(strings.Replace(offlineShare(fmt.Sprintf("s%02d", i), "lake", fmt.Sprintf("{account: analytics, role: {name: r}, access: read, policyName: p%d}", i)), "name: data", fmt.Sprintf("name: data-%d", i), 1))
	}
	told("grants", shares, validated(many.String()))
	repo, p := offlinePlan(t, offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: read}"))
	eachPair(p, plan.TypeBucketPolicy, func(pair *iampolicy.Pair) { pair.Statement.Effect = iampolicy.Deny })
	told("grants", shares, proof.Offline(repo, p))

	for _, row := range proof.Lints() {
		for _, kind := range row.Seen {
			if !found[string(row.Code)+" "+kind] {
				t.Errorf("the table says that %s looks at %s, and no case finds it there", row.Code, kind)
			}
		}
	}
}
