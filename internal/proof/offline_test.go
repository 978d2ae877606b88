package proof_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

const offlineRepository = `
apiVersion: xshare/v1
kind: Repository
metadata: {name: acme}
spec:
  region: us-east-1
  deployRole: xshare-deployer
  accounts:
    lake:      {id: "111111111111"}
    analytics: {id: "222222222222"}
    ml:        {id: "333333333333"}
    partner:   {id: "444444444444", manage: false}
`

// offlineShare is a share of the bucket "data" of an account.
func offlineShare(name, account string, consumers ...string) string {
	return fmt.Sprintf("---\napiVersion: xshare/v1\nkind: Share\nmetadata: {name: %s}\nspec:\n  bucket: {name: data, account: %s}\n  consumers:\n    - %s\n",
		name, account, strings.Join(consumers, "\n    - "))
}

// offlinePlan loads a repository and builds its plan. files are more files, as
// names and texts in turn.
func offlinePlan(t testing.TB, shares string, files ...string) (*specs.Repository, *plan.Plan) {
	t.Helper()
	fsys := fstest.MapFS{
		specs.RepositoryFile: {Data: []byte(offlineRepository)},
		"shares/s.yaml":      {Data: []byte(shares)},
	}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	repo, problems := specs.Load(fsys)
	if err := specs.Errors(problems); err != nil {
		t.Fatal(err)
	}
	p, problems := plan.Build(repo, func(string) bool { return true })
	if err := specs.Errors(problems); err != nil {
		t.Fatal(err)
	}
	return repo, p
}

// codesOf are problems as "code place: message".
func codesOf(problems []specs.Problem) []string {
	var list []string
	for _, p := range problems {
		list = append(list, fmt.Sprintf("%s %s %s: %s", p.Severity, p.Code, p.Source, p.Message))
	}
	return list
}

func TestOfflineProvesEveryForm(t *testing.T) {
	for name, shares := range map[string]string{
		"list":               offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: list}"),
		"read":               offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: read}"),
		"write":              offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: write}"),
		"delete":             offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: delete}"),
		"full":               offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: full}"),
		"all words":          offlineShare("s", "lake", "{account: analytics, role: {name: team/r}, access: [list, read, write, delete]}"),
		"prefixes":           offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: [read, write], prefixes: [in/, out/deep/]}"),
		"one prefix's other": offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: read, prefixes: [in/, in-other/]}"),
		"actions":            offlineShare("s", "lake", "{account: analytics, role: {name: r}, actions: [s3:GetObjectTagging, s3:GetBucketTagging, s3:ListBucketVersions], prefixes: [in/]}"),
		"versions":           offlineShare("s", "lake", "{account: analytics, role: {name: r}, actions: [s3:ListBucketVersions], prefixes: [in/]}"),
		"uploads by action":  offlineShare("s", "lake", "{account: analytics, role: {name: r}, actions: [s3:ListBucketMultipartUploads]}"),
		"bucket's account":   offlineShare("s", "lake", "{account: lake, role: {name: r}, access: [read, write], prefixes: [in/]}"),
		"its own policy":     offlineShare("s", "lake", "{account: lake, role: {name: r}, actions: [s3:GetBucketPolicy]}"),
		"full at home":       offlineShare("s", "lake", "{account: lake, role: {name: r}, access: full}"),
		"partner's role":     offlineShare("s", "lake", "{account: partner, role: {name: r}, access: read, prefixes: [in/]}"),
		"partner's bucket":   offlineShare("s", "partner", "{account: analytics, role: {name: r}, access: read, prefixes: [in/]}"),
		"partner's both":     offlineShare("s", "partner", "{account: partner, role: {name: r}, access: read}"),
		"several": offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: read, prefixes: [in/]}", "{account: ml, role: {name: r}, access: write}") +
			offlineShare("t", "lake", "{account: analytics, role: {name: r}, access: write, prefixes: [out/]}", "{account: analytics, role: {name: r-other}, access: read}", "{account: lake, role: {name: r}, access: list}") +
			offlineShare("u", "lake", "{account: analytics, role: {name: r}, access: delete, prefixes: [tmp/], policyName: own}"),
		"another bucket": offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: read}") +
			strings.ReplaceAll(offlineShare("t", "lake", "{account: analytics, role: {name: r}, access: read}"), "name: data", "name: data-other"),
	} {
		t.Run(name, func(t *testing.T) {
			if got := codesOf(proof.Offline(offlinePlan(t, shares))); len(got) > 0 {
				t.Errorf("problems of a repository without any:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// A share that is not selected still has its part in the documents.
func TestOfflineOfAPartOfTheShares(t *testing.T) {
	repo, _ := offlinePlan(t, offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: read, prefixes: [in/]}")+
		offlineShare("t", "lake", "{account: analytics, role: {name: r}, access: [read, write]}", "{account: ml, role: {name: r}, access: write}"))
	p, _ := plan.Build(repo, func(share string) bool { return share == "s" })
	if got := codesOf(proof.Offline(repo, p)); len(got) > 0 {
		t.Errorf("problems:\n%s", strings.Join(got, "\n"))
	}
}

// pairsOf are the pairs of all parts of the plan's steps of one type.
func eachPair(p *plan.Plan, t plan.Type, edit func(*iampolicy.Pair)) {
	for _, s := range p.Steps {
		if s.Type != t {
			continue
		}
		for i := range s.Parts {
			s.Parts[i].Pairs = slices.Clone(s.Parts[i].Pairs)
			for j := range s.Parts[i].Pairs {
				pair := &s.Parts[i].Pairs[j]
				pair.Statement.Action, pair.Statement.Resource = slices.Clone(pair.Statement.Action), slices.Clone(pair.Statement.Resource)
				edit(pair)
				pair.Meaning = pair.Statement.Meaning()
			}
		}
	}
}

// Plans that are wrong in one way each: what the proof is for.
func TestOfflineFindsWrongPlans(t *testing.T) {
	const bucket, identity = plan.TypeBucketPolicy, plan.TypePolicy
	replace := func(old, changed string) func(*iampolicy.Pair) {
		return func(p *iampolicy.Pair) {
			for i, r := range p.Statement.Resource {
				p.Statement.Resource[i] = strings.ReplaceAll(r, old, changed)
			}
		}
	}
	act := func(add string) func(*iampolicy.Pair) {
		return func(p *iampolicy.Pair) {
			if slices.Contains(p.Statement.Action, "s3:GetObject") {
				p.Statement.Action = append(p.Statement.Action, add)
			}
		}
	}
	for name, c := range map[string]struct {
		of   plan.Type
		edit func(*iampolicy.Pair)
		want string
	}{
		"bucket policy without an action":      {bucket, func(p *iampolicy.Pair) { p.Statement.Action = p.Statement.Action[:1] }, "s3:GetObject on in/xshare-proof would not be allowed"},
		"role's policy without an action":      {identity, func(p *iampolicy.Pair) { p.Statement.Action = p.Statement.Action[:1] }, "role's permissions policies"},
		"bucket policy on another bucket":      {bucket, replace(":::data", ":::date"), "would not be allowed"},
		"role's policy on another bucket":      {identity, replace(":::data", ":::date"), "would not be allowed"},
		"bucket policy without its slash":      {bucket, replace("/in/*", "/in*"), "would be allowed to role r"},
		"role's policy without its slash":      {identity, replace("/in/*", "/in*"), "would be allowed to role r"},
		"bucket policy without prefix":         {bucket, replace("/in/*", "/*"), "would be allowed to role r"},
		"role's policy on all buckets":         {identity, replace(":::data/in/*", ":::*"), "would be allowed to role r"},
		"role's policy on buckets of its name": {identity, replace(":::data", ":::data*"), "in another bucket, data-other"},
		"bucket policy without condition":      {bucket, func(p *iampolicy.Pair) { p.Statement.Condition = nil }, "s3:ListBucket would be allowed to role r"},
		"role's policy without condition":      {identity, func(p *iampolicy.Pair) { p.Statement.Condition = nil }, "s3:ListBucket would be allowed to role r"},
		"condition without its slash": {bucket, func(p *iampolicy.Pair) {
			if len(p.Statement.Condition) > 0 {
				p.Statement.Condition = []iampolicy.Condition{{Operator: "StringLike", Key: "s3:prefix", Values: []string{"in*"}}}
			}
		}, `s3:ListBucket of the prefix "in" would be allowed`},
		"condition that absence meets": {bucket, func(p *iampolicy.Pair) {
			for i := range p.Statement.Condition {
				p.Statement.Condition = slices.Clone(p.Statement.Condition)
				p.Statement.Condition[i].Operator = "StringLikeIfExists"
			}
		}, "s3:ListBucket would be allowed to role r"},
		"bucket policy with another action": {bucket, act("s3:DeleteObject"), "s3:DeleteObject on in/xshare-proof would be allowed"},
		"role's policy with another action": {identity, act("s3:PutObjectAcl"), "s3:PutObjectAcl on in/xshare-proof would be allowed"},
		"bucket policy with a wildcard":     {bucket, act("s3:Get*"), "s3:GetObjectVersion on in/xshare-proof would be allowed"},
		"bucket policy for the account":     {bucket, func(p *iampolicy.Pair) { p.Principal = "arn:aws:iam::222222222222:root" }, "would be allowed to another role of account 222222222222"},
		"bucket policy for everybody":       {bucket, func(p *iampolicy.Pair) { p.Principal = "*" }, "would be allowed to another role"},
		"bucket policy for another role":    {bucket, func(p *iampolicy.Pair) { p.Principal += "x" }, "would not be allowed to role r"},
		"bucket policy that denies":         {bucket, func(p *iampolicy.Pair) { p.Statement.Effect = iampolicy.Deny }, "would not be allowed to role r"},
	} {
		t.Run(name, func(t *testing.T) {
			repo, p := offlinePlan(t, offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: [read, write], prefixes: [in/]}"))
			eachPair(p, c.of, c.edit)
			got := codesOf(proof.Offline(repo, p))
			if !slices.ContainsFunc(got, func(line string) bool {
				return strings.HasPrefix(line, "error unproved shares/s.yaml:8:7: ") && strings.Contains(line, c.want)
			}) {
				t.Errorf("no unproved problem with %q in\n%s", c.want, strings.Join(got, "\n"))
			}
		})
	}
	t.Run("no attachment", func(t *testing.T) {
		repo, p := offlinePlan(t, offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: read}"))
		p.Steps = slices.DeleteFunc(p.Steps, func(s *plan.Step) bool { return s.Type == plan.TypeAttachment })
		if got := codesOf(proof.Offline(repo, p)); len(got) != 1 || !strings.HasPrefix(got[0], "error unproved") {
			t.Errorf("problems:\n%s", strings.Join(got, "\n"))
		}
	})
	t.Run("statements of another role", func(t *testing.T) {
		repo, p := offlinePlan(t, offlineShare("s", "lake", "{account: analytics, role: {name: r}, access: read}")+
			strings.ReplaceAll(offlineShare("t", "lake", "{account: analytics, role: {name: r-other}, access: read}"), "name: data,", "name: secret,"))
		var first *plan.Step
		for _, s := range p.Steps {
			switch {
			case s.Type == identity && first == nil:
				first = s
			case s.Type == identity:
				first.Parts = append(first.Parts, s.Parts...)
			}
		}
		want := "the policies of role r are about bucket secret too, and no share grants that"
		if got := codesOf(proof.Offline(repo, p)); len(got) != 1 || !strings.HasPrefix(got[0], "error unproved shares/s.yaml:8:7: "+want) {
			t.Errorf("problems:\n%s", strings.Join(got, "\n"))
		}
	})
	t.Run("within the account", func(t *testing.T) {
		repo, p := offlinePlan(t, offlineShare("s", "lake", "{account: lake, role: {name: r}, access: read, prefixes: [in/]}"))
		eachPair(p, bucket, func(p *iampolicy.Pair) { p.Principal = "arn:aws:iam::111111111111:role/r-other" })
		if got := codesOf(proof.Offline(repo, p)); len(got) != 1 || !strings.Contains(got[0], "would not be allowed") {
			t.Errorf("problems:\n%s", strings.Join(got, "\n"))
		}
	})
}

// Whatever shares say of one bucket together, what is planned is proved.
func TestOfflineProvesWhateverIsPlanned(t *testing.T) {
	words := []string{"list", "read", "write", "delete"}
	actions := []string{"s3:GetObjectTagging", "s3:GetBucketTagging", "s3:ListBucketVersions", "s3:GetObjectVersion", "s3:ListBucketMultipartUploads"}
	prefixes := []string{"in/", "in/deep/", "in-other/", "out/", "xshare-proof/"}
	rapid.Check(t, func(t *rapid.T) {
		var shares strings.Builder
		owner := rapid.SampledFrom([]string{"lake", "partner"}).Draw(t, "owner")
		for i := range rapid.IntRange(1, 4).Draw(t, "shares") {
			consumer := fmt.Sprintf("{account: %s, role: {name: %s}",
				rapid.SampledFrom([]string{"lake", "analytics", "ml", "partner"}).Draw(t, "account"), rapid.SampledFrom([]string{"r", "r-other"}).Draw(t, "role"))
			access := rapid.SliceOfNDistinct(rapid.SampledFrom(words), 1, 4, rapid.ID).Draw(t, "access")
			consumer += ", access: [" + strings.Join(access, ", ") + "]"
			if more := rapid.SliceOfNDistinct(rapid.SampledFrom(actions), 0, 3, rapid.ID).Draw(t, "actions"); len(more) > 0 {
				consumer += ", actions: [" + strings.Join(more, ", ") + "]"
			}
			if under := rapid.SliceOfNDistinct(rapid.SampledFrom(prefixes), 0, 3, rapid.ID).Draw(t, "prefixes"); len(under) > 0 {
				consumer += ", prefixes: [" + strings.Join(under, ", ") + "]"
			}
			shares.WriteString(offlineShare(fmt.Sprintf("s%d", i), owner, consumer+"}"))
		}
		repo, problems := specs.Load(fstest.MapFS{
			specs.RepositoryFile: {Data: []byte(offlineRepository)}, "shares/s.yaml": {Data: []byte(shares.String())},
		})
		if err := specs.Errors(problems); err != nil {
			t.Fatal(err)
		}
		p, _ := plan.Build(repo, func(string) bool { return true })
		got := slices.DeleteFunc(codesOf(proof.Offline(repo, p)), func(s string) bool { return strings.HasPrefix(s, "warning prefix-unheld") })
		if len(got) > 0 {
			t.Fatalf("problems:\n%s\nof\n%s", strings.Join(got, "\n"), shares.String())
		}
	})
}

func TestOfflineExamplesAreClean(t *testing.T) {
	for _, dir := range []string{"recipe", "many"} {
		t.Run(dir, func(t *testing.T) {
			repo, problems := specs.Load(os.DirFS("../../examples/" + dir))
			if err := specs.Errors(problems); err != nil {
				t.Fatal(err)
			}
			p, _ := plan.Build(repo, func(string) bool { return true })
			if diff := cmp.Diff([]string(nil), codesOf(proof.Offline(repo, p))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func BenchmarkOffline(b *testing.B) {
	const shares = 2000
	var text strings.Builder
	for i := range shares {
		share := offlineShare(fmt.Sprintf("s%d", i), "lake",
			fmt.Sprintf("{account: analytics, role: {name: r%d, create: true, trust: ec2}, access: [read, write], prefixes: [in/]}", i%500))
		text.WriteString(strings.Replace(share, "name: data", fmt.Sprintf("name: data-%d", i), 1))
	}
	repo, p := offlinePlan(b, text.String())
	for b.Loop() {
		if got := proof.Offline(repo, p); len(got) > 0 {
			b.Fatal(codesOf(got))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/shares, "µs/grant")
}

// Trust policies in files: each finding stands at its place in the file.
func TestOfflineTrust(t *testing.T) {
	const instances = "{account: analytics, role: {name: r, create: true, trustPolicy: t.json, instanceProfile: true}, access: read}"
	const plain = "{account: analytics, role: {name: r, create: true, trustPolicy: t.json}, access: read}"
	const ec2 = `{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}`
	for name, c := range map[string]struct {
		consumer, trust string
		want            []string
	}{
		"EC2 with a profile": {instances, `{"Statement": ` + ec2 + `}`, nil},
		"a provider without one": {plain, `{"Statement": {"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::222222222222:oidc-provider/ci.example.com"},
			"Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"ci.example.com:sub": "x"}}}}`, nil},
		"instances without EC2": {instances, "\n" + ` {"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazon.com"}, "Action": "sts:AssumeRole"}}`, []string{
			"error trust-lacks-service t.json:2:2: the trust policy does not let ec2.amazonaws.com do sts:AssumeRole, so no instance can use role r, which has an instance profile; the services it names are ec2.amazon.com",
			"error refused-principal t.json:2:36: statement number 1 of the trust policy names ec2.amazon.com, which is no service of AWS",
		}},
		"instances with an action that does not exist": {instances, `{"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumRole"}}`, []string{
			"error trust-lacks-service t.json:1:1: the trust policy does not let ec2.amazonaws.com do sts:AssumeRole, so no instance can use role r, which has an instance profile; it names ec2.amazonaws.com, but with sts:AssumRole",
			"error trust-action t.json:1:82: statement number 1 of the trust policy names sts:AssumRole, which STS does not have",
		}},
		"EC2 without a profile": {plain, `{"Statement": ` + ec2 + `}`, []string{
			"warning no-instance-profile shares/s.yaml:8:41: t.json lets EC2 use role r, but no instance profile is made, without which no instance has the role",
		}},
		"a profile for an organization's callers": {instances, `{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}}`, []string{
			"error trust-lacks-service t.json:1:1: the trust policy does not let ec2.amazonaws.com do sts:AssumeRole, so no instance can use role r, which has an instance profile",
		}},
		"an organization without one": {plain, `{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}}`, nil},
		"the element of the second": {instances, "{\n  \"Statement\": [\n    " + ec2 + ",\n    {\"Sid\": \"Principal\", \"Effect\": \"Allow\", \"Action\": \"sts:AssumeRole\", \"Principal\": \"*\"}\n  ]\n}\n", []string{
			`error public-trust t.json:4:73: statement "Principal" of the trust policy lets everybody in: the principal is "*", and no condition limits it to fixed principals`,
		}},
		"an account in a condition": {plain, "{\"Statement\": {\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"sts:AssumeRole\",\n  \"Condition\": {\"StringEquals\": {\"aws:PrincipalAccount\": \"999999999999\"}}}}", []string{
			"warning no-external-id t.json:2:3: statement number 1 of the trust policy lets in 999999999999 without asking for an external id, so account 999999999999 can be made to use the role for a stranger",
			"warning unlisted-account t.json:2:3: statement number 1 of the trust policy lets in 999999999999, of account 999999999999, which the repository does not have",
		}},
		"everybody of a place": {plain, "{\"Statement\": {\n  \"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"sts:AssumeRole\", \"Condition\": {\"StringEquals\": {\"aws:SourceVpc\": \"vpc-1\"}}}}", []string{
			"warning no-instance-profile shares/s.yaml:8:41: t.json lets EC2 use role r, but no instance profile is made, without which no instance has the role",
			"warning trust-by-place t.json:2:22: statement number 1 of the trust policy lets in callers of any AWS account: the principal is \"*\", and aws:SourceVpc tells where they come from, not who they are",
		}},
		"a loose subject": {plain, "{\"Statement\": {\"Effect\": \"Allow\", \"Principal\": {\"Federated\": \"arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com\"}, \"Action\": \"sts:AssumeRoleWithWebIdentity\",\n\"Condition\": {\"StringLike\": {\"token.actions.githubusercontent.com:sub\": [\"repo:acme/x:*\", \"repo:acme*\"]}}}}", []string{
			"error open-federation t.json:2:1: statement number 1 of the trust policy trusts token.actions.githubusercontent.com, which serves everybody, and token.actions.githubusercontent.com:sub may be repo:acme*, which fits others too",
		}},
		"guests of a pool": {plain, "{\"Statement\": {\"Effect\": \"Allow\", \"Principal\": {\"Federated\": \"cognito-identity.amazonaws.com\"}, \"Action\": \"sts:AssumeRoleWithWebIdentity\",\n\"Condition\": {\"StringEquals\": {\"cognito-identity.amazonaws.com:aud\": \"us-east-1:pool\"}}}}", []string{
			"error open-federation t.json:2:1: statement number 1 of the trust policy trusts cognito-identity.amazonaws.com, which serves everybody, without holding cognito-identity.amazonaws.com:amr to a value",
		}},
		"a typo in an id": {plain, `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111112:role/ci"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "x-1"}}}}`, []string{
			"warning unlisted-account t.json:1:60: statement number 1 of the trust policy lets in arn:aws:iam::111111111112:role/ci, of account 111111111112, which the repository does not have",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			repo, p := offlinePlan(t, offlineShare("s", "lake", c.consumer), "t.json", c.trust)
			if diff := cmp.Diff(c.want, codesOf(proof.Offline(repo, p))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A file that many roles share is told of once an account, and its use by each.
func TestOfflineTrustOfManyRoles(t *testing.T) {
	consumer := func(account, role string) string {
		return fmt.Sprintf("{account: %s, role: {name: %s, create: true, trustPolicy: t.json, instanceProfile: true}, access: read}", account, role)
	}
	repo, p := offlinePlan(t, offlineShare("s", "lake", consumer("analytics", "a"), consumer("analytics", "b"), consumer("ml", "c")),
		"t.json", `{"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:*"}}`)
	want := []string{"warning wildcard-action t.json:1:82: statement number 1 of the trust policy allows sts:*, which stands for every way to assume the role"}
	if diff := cmp.Diff(slices.Concat(want, want), codesOf(proof.Offline(repo, p))); diff != "" {
		t.Error(diff)
	}
}

// What is too large for AWS is told, and then not proved.
func TestOfflineLimits(t *testing.T) {
	var consumers []string
	for i := range 60 {
		consumers = append(consumers, fmt.Sprintf("{account: analytics, role: {name: r%d}, access: [read, write], prefixes: [%s/]}", i, strings.Repeat("x", 100)+fmt.Sprint(i)))
	}
	repo, p := offlinePlan(t, offlineShare("s", "lake", consumers...))
	got := codesOf(proof.Offline(repo, p))
	if len(got) != 1 || !strings.HasPrefix(got[0], "error bucket-policy-too-large shares/s.yaml:8:7: the policy of bucket data would have ") {
		t.Errorf("problems:\n%s", strings.Join(got, "\n"))
	}

	var shares strings.Builder
	for i := range 11 {
		shares.WriteString(strings.Replace(offlineShare(fmt.Sprintf("s%02d", i), "lake", fmt.Sprintf("{account: analytics, role: {name: r}, access: read, policyName: p%d}", i)), "name: data", fmt.Sprintf("name: data-%d", i), 1))
	}
	got = codesOf(proof.Offline(offlinePlan(t, shares.String())))
	if len(got) != 1 || !strings.HasPrefix(got[0], "warning too-many-policies shares/s.yaml:") {
		t.Errorf("problems:\n%s", strings.Join(got, "\n"))
	}
}
