package main

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xshare/xshare/internal/proof"
)

// edit makes the edit of one policy that explain gives.
func (g *gallery) edit(f fragment) {
	g.t.Helper()
	if g.editUsers(f) {
		return
	}
	name := f.Policy[strings.LastIndex(f.Policy, " ")+1:]
	switch f.Side {
	case proof.PartResource:
		g.putBucketPolicy(g.edited(g.bucketPolicy(), f))
	case proof.PartIdentity, proof.PartBoundary:
		switch kind, _, _ := strings.Cut(f.Policy, " "); {
		case kind == "inline":
			g.putInline(name, g.edited(g.inline(name), f))
		case f.Remove == nil && f.Side == proof.PartIdentity: // a policy of the role, whichever
			g.putInline("mended", g.edited(`{"Version":"2012-10-17","Statement":[]}`, f))
		default:
			arn := "arn:aws:iam::" + f.Account + ":policy/" + name
			g.putVersion(arn, g.edited(g.managed(arn), f))
		}
	case proof.PartTrust:
		g.putTrust(g.edited(g.trust(), f))
	case proof.PartKey:
		id := aws.String(name)
		out, err := g.kms().GetKeyPolicy(g.t.Context(), &kms.GetKeyPolicyInput{KeyId: id, PolicyName: aws.String("default")})
		g.must(out, err)
		text := g.edited(*out.Policy, f)
		g.must(g.kms().PutKeyPolicy(g.t.Context(), &kms.PutKeyPolicyInput{KeyId: id, PolicyName: aws.String("default"), Policy: &text}))
	case proof.PartSCP, proof.PartRCP:
		g.editControl(f, name)
	default:
		g.t.Fatalf("no edit of %s is known", f.Side)
	}
}

// editControl edits a policy of the organization, or attaches a new one.
func (g *gallery) editControl(f fragment, target string) {
	g.t.Helper()
	c, ctx := g.organizations(galleryManagement), g.t.Context()
	kind := orgtypes.PolicyTypeServiceControlPolicy
	if f.Side == proof.PartRCP {
		kind = orgtypes.PolicyTypeResourceControlPolicy
	}
	if f.Remove == nil {
		g.attachControl(kind, "Mended", target, g.edited(`{"Version":"2012-10-17","Statement":[]}`, f))
		return
	}
	words := strings.Fields(f.Policy) // service control policy NAME on TARGET
	list, err := c.ListPoliciesForTarget(ctx, &organizations.ListPoliciesForTargetInput{TargetId: &target, Filter: kind})
	g.must(list, err)
	for _, p := range list.Policies {
		if *p.Name != words[3] {
			continue
		}
		out, err := c.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: p.Id})
		g.must(out, err)
		text := g.edited(*out.Policy.Content, f)
		g.must(c.UpdatePolicy(ctx, &organizations.UpdatePolicyInput{PolicyId: p.Id, Content: &text}))
		return
	}
	g.t.Fatalf("there is no %s", f.Policy)
}

func (g *gallery) attachControl(kind orgtypes.PolicyType, name, target, content string) {
	g.t.Helper()
	c, ctx := g.organizations(galleryManagement), g.t.Context()
	p, err := c.CreatePolicy(ctx, &organizations.CreatePolicyInput{Type: kind, Name: &name, Description: aws.String("gallery"), Content: &content})
	g.must(p, err)
	g.must(c.AttachPolicy(ctx, &organizations.AttachPolicyInput{PolicyId: p.Policy.PolicySummary.Id, TargetId: &target}))
}

// edited is a policy with a statement taken out and another put in.
func (g *gallery) edited(policy string, f fragment) string {
	g.t.Helper()
	d := g.document(policy)
	kept := []any{}
	removed := f.Remove == nil
	for _, s := range d["Statement"].([]any) {
		if f.Remove != nil && reflect.DeepEqual(s, f.Remove) {
			removed = true
			continue
		}
		kept = append(kept, s)
	}
	if !removed {
		g.t.Fatalf("%s does not stand in %s", f.Remove, policy)
	}
	if f.Add != nil {
		kept = append(kept, f.Add)
	}
	d["Statement"] = kept
	return jsonOf(g.t, d)
}

// document is a policy whose statements are a list.
func (g *gallery) document(policy string) map[string]any {
	g.t.Helper()
	d := g.value([]byte(policy)).(map[string]any)
	if one, ok := d["Statement"].(map[string]any); ok {
		d["Statement"] = []any{one}
	}
	return d
}

func (g *gallery) value(text []byte) (v any) {
	g.t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		g.t.Fatalf("%v in %s", err, text)
	}
	return v
}

func (g *gallery) bucketPolicy() string {
	g.t.Helper()
	out, err := g.s3(galleryOwner).GetBucketPolicy(g.t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String(galleryBucket)})
	g.must(out, err)
	return *out.Policy
}

func (g *gallery) putBucketPolicy(text string) {
	g.t.Helper()
	g.must(g.s3(galleryOwner).PutBucketPolicy(g.t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String(galleryBucket), Policy: &text}))
}

// addToBucketPolicy adds a statement that is not ours.
func (g *gallery) addToBucketPolicy(statement string) {
	g.t.Helper()
	g.putBucketPolicy(g.edited(g.bucketPolicy(), fragment{Add: g.value([]byte(statement))}))
}

// statement is the one of the bucket policy with this Sid.
func (g *gallery) statement(sid string) any {
	g.t.Helper()
	for _, s := range g.document(g.bucketPolicy())["Statement"].([]any) {
		if s.(map[string]any)["Sid"] == sid {
			return s
		}
	}
	g.t.Fatalf("the bucket policy has no %s", sid)
	return nil
}

// inBucketPolicy replaces a text in the bucket policy, which must be there.
func (g *gallery) inBucketPolicy(old, replacement string) {
	g.t.Helper()
	g.putBucketPolicy(g.replaced(g.bucketPolicy(), old, replacement))
}

func (g *gallery) replaced(text, old, replacement string) string {
	g.t.Helper()
	if !strings.Contains(text, old) {
		g.t.Fatalf("%s is not in %s", old, text)
	}
	return strings.ReplaceAll(text, old, replacement)
}

func (g *gallery) unescaped(document *string) string {
	g.t.Helper()
	text, err := url.QueryUnescape(aws.ToString(document))
	g.must(text, err)
	return text
}

func (g *gallery) inline(name string) string {
	g.t.Helper()
	out, err := g.iam().GetRolePolicy(g.t.Context(), &iam.GetRolePolicyInput{RoleName: aws.String(galleryRole), PolicyName: &name})
	g.must(out, err)
	return g.unescaped(out.PolicyDocument)
}

// putInline gives the role an inline policy, or takes it away if no statement
// is left.
func (g *gallery) putInline(name, text string) {
	g.t.Helper()
	if list, _ := g.document(text)["Statement"].([]any); len(list) == 0 {
		g.must(g.iam().DeleteRolePolicy(g.t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String(galleryRole), PolicyName: &name}))
		return
	}
	g.must(g.iam().PutRolePolicy(g.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(galleryRole), PolicyName: &name, PolicyDocument: &text}))
}

func (g *gallery) managed(arn string) string {
	g.t.Helper()
	p, err := g.iam().GetPolicy(g.t.Context(), &iam.GetPolicyInput{PolicyArn: &arn})
	g.must(p, err)
	v, err := g.iam().GetPolicyVersion(g.t.Context(), &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: p.Policy.DefaultVersionId})
	g.must(v, err)
	return g.unescaped(v.PolicyVersion.Document)
}

// putVersion makes a new version the one that counts.
func (g *gallery) putVersion(arn, text string) {
	g.t.Helper()
	g.must(g.iam().CreatePolicyVersion(g.t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: &text, SetAsDefault: true}))
}

// inPolicy replaces a text in the role's policy.
func (g *gallery) inPolicy(old, replacement string) {
	g.t.Helper()
	g.putVersion(galleryPolicyARN, g.replaced(g.managed(galleryPolicyARN), old, replacement))
}

// newPolicy makes a managed policy in the consumer's account.
func (g *gallery) newPolicy(name, text string) string {
	g.t.Helper()
	out, err := g.iam().CreatePolicy(g.t.Context(), &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: &text})
	g.must(out, err)
	return *out.Policy.Arn
}

func (g *gallery) trust() string {
	g.t.Helper()
	out, err := g.iam().GetRole(g.t.Context(), &iam.GetRoleInput{RoleName: aws.String(galleryRole)})
	g.must(out, err)
	return g.unescaped(out.Role.AssumeRolePolicyDocument)
}

func (g *gallery) putTrust(text string) {
	g.t.Helper()
	g.must(g.iam().UpdateAssumeRolePolicy(g.t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(galleryRole), PolicyDocument: &text}))
}

// policyWith is a policy of these statements.
func policyWith(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}
