package proof_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// AWS's own key of an account lets in all of it that may use S3, and they are
// kept from it as from any other.
func TestAWSKeyWithinOneAccount(t *testing.T) {
	ownARN := "arn:aws:iam::" + owner + ":role/" + role
	for name, tt := range map[string]struct {
		identity, boundary string // statements
		scp, rcp           string
		verdict            proof.Verdict
		code               proof.Code
		says               string // in the cause or in what is not checked
	}{
		"nothing about keys":           {verdict: proof.Allowed},
		"the role's policy denies":     {identity: `{"Effect":"Deny","Action":"kms:*","Resource":"*"}`, verdict: proof.Denied, code: proof.ExplicitDeny, says: "denies kms:Decrypt"},
		"every key of the account":     {identity: `{"Effect":"Deny","Action":"kms:Decrypt","Resource":"arn:aws:kms:us-east-1:` + owner + `:key/*"}`, verdict: proof.Denied, code: proof.ExplicitDeny},
		"keys of another account":      {identity: `{"Effect":"Deny","Action":"kms:Decrypt","Resource":"arn:aws:kms:us-east-1:` + security + `:key/*"}`, verdict: proof.Allowed},
		"keys of another, anywhere":    {identity: `{"Effect":"Deny","Action":"kms:Decrypt","Resource":"arn:aws:kms:*:` + security + `:key/*"}`, verdict: proof.Allowed},
		"one key, which it may be":     {identity: `{"Effect":"Deny","Action":"kms:Decrypt","Resource":"` + keyARN + `"}`, verdict: proof.NotChecked, says: "whether " + keyARN + " is AWS's own key aws/s3"},
		"all but one, which it may be": {scp: `{"Effect":"Deny","Action":"kms:*","NotResource":"` + keyARN + `"}`, verdict: proof.NotChecked, says: "whether " + keyARN},
		"by its alias":                 {identity: `{"Effect":"Deny","Action":"kms:*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/aws/s3"}}}`, verdict: proof.Denied, code: proof.ExplicitDeny},
		"through S3":                   {identity: `{"Effect":"Deny","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}`, verdict: proof.Denied, code: proof.ExplicitDeny},
		"not through S3":               {identity: `{"Effect":"Deny","Action":"kms:*","Resource":"*","Condition":{"StringNotEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}`, verdict: proof.Allowed},
		"the boundary denies":          {boundary: `{"Effect":"Deny","Action":"kms:*","Resource":"*"}`, verdict: proof.Denied, code: proof.ExplicitDeny},
		"the boundary does not allow":  {boundary: `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`, verdict: proof.Allowed}, // as the key's policy names everybody
		"an SCP denies all but S3":     {scp: `{"Effect":"Deny","NotAction":["s3:*","iam:*","sts:*"],"Resource":"*"}`, verdict: proof.Denied, code: proof.ServiceControl, says: "denies kms:Decrypt"},
		"an SCP allows S3 alone":       {scp: `{"Effect":"Allow","Action":["s3:*","sts:*"],"Resource":"*"}`, verdict: proof.Denied, code: proof.ServiceControl, says: "do not allow kms:Decrypt"},
		"an RCP denies":                {rcp: `{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"}`, verdict: proof.Denied, code: proof.ResourceControl},
	} {
		t.Run(name, func(t *testing.T) {
			p, snapshots := built(t, recipe(func(s *specs.Share) {
				c := s.Consumers[0]
				c.Account, c.Instances, c.Access = s.Bucket.Account, nil, []specs.Access{specs.AccessRead}
				c.Role = specs.Role{Name: role, Path: "/", Create: true, TrustService: "lambda.amazonaws.com"}
			}))
			l := live{t, snapshots}
			l.bucket().Encryption = &plan.Encryption{Algorithm: "aws:kms"}
			r := snapshots[owner].Roles[role]
			document := func(statements ...string) []byte {
				return []byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
			}
			if tt.identity != "" {
				r.Inline = map[string][]byte{"keys": document(tt.identity)}
			}
			if tt.boundary != "" {
				r.Boundary = "arn:aws:iam::" + owner + ":policy/edge"
				statements := []string{tt.boundary, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`}
				snapshots[owner].Policies[r.Boundary] = &plan.LivePolicy{Name: "edge", Document: document(statements...)}
			}
			o := &plan.Organization{ID: "o-acme", RCPs: [][]plan.ControlPolicy{{}}}
			if tt.scp != "" {
				o.SCPs = levels()
				if strings.Contains(tt.scp, "Allow") {
					o.SCPs[2] = nil
				}
				o.SCPs[2] = append(o.SCPs[2], control("Only", owner, tt.scp))
			}
			if tt.rcp != "" {
				o.RCPs[0] = append(o.RCPs[0], control("Keys", owner, tt.rcp))
			}
			snapshots[owner].Organization = o

			g := proof.Live(p, snapshots)[0]
			said := strings.Join(g.NotChecked, "\n")
			var codes []proof.Code
			for _, c := range g.Causes {
				codes = append(codes, c.Code)
				said += "\n" + c.Message
			}
			var want []proof.Code
			if tt.code != "" {
				want = []proof.Code{tt.code}
			}
			if g.Verdict != tt.verdict || !slices.Equal(codes, want) || !strings.Contains(said, tt.says) {
				t.Errorf("%s %v, want %s %v and %q\n%s", g.Verdict, codes, tt.verdict, want, tt.says, dump(g))
			}
			share := proof.ExplainShare(p, snapshots, bucket)[0]
			asked := proof.Explain(p, recipe(nil).Accounts, snapshots, ask(t, ownARN, "s3:GetObject", "arn:aws:s3:::"+bucket+"/a.txt"))
			for _, e := range []proof.Explanation{share, asked} {
				if e.Verdict != tt.verdict || !slices.Equal(rootCodes(e), want) {
					t.Errorf("explained as %s %v\n%s", e.Verdict, rootCodes(e), dumpExplanation(e))
				}
				if !slices.ContainsFunc(e.Screens, func(s proof.Screen) bool {
					return s.Requests[0].Action == "kms:Decrypt" && s.Requests[0].Resource == "aws/s3" && len(s.Parts) > 0
				}) {
					t.Errorf("the key is not told of:\n%s", dumpExplanation(e))
				}
			}
		})
	}
}

// Which key an alias is has to be read: what policies say of keys cannot be held
// against an alias.
func TestUnreadAlias(t *testing.T) {
	for _, name := range []string{"alias/lake", "arn:aws:kms:us-east-1:" + owner + ":alias/lake"} {
		p, snapshots := built(t, recipe(func(s *specs.Share) { s.Consumers[0].Access = []specs.Access{specs.AccessRead} }))
		l := live{t, snapshots}
		l.encrypted()
		l.bucket().Encryption.Key = name
		snapshots[owner].Keys = nil
		g := proof.Live(p, snapshots)[0]
		if g.Verdict != proof.NotChecked {
			t.Errorf("%s: verify says %s: %+v", name, g.Verdict, g.Checks)
		}
		if e := proof.ExplainShare(p, snapshots, bucket)[0]; e.Verdict != proof.NotChecked || len(e.Roots) > 0 {
			t.Errorf("%s: explain says %s: %+v", name, e.Verdict, e.Roots)
		}
	}
}
