package awslive

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/xshare/xshare/plan"
)

// readKey reads a key: what it is, its policy and its grants, each of which may
// be denied apart.
func (r *reader) readKey(ctx context.Context, want plan.KeyWant) {
	api := r.kms(want.Region)
	key := &plan.LiveKey{}
	out, err := api.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &want.ID})
	switch {
	case isCode(err, "NotFoundException"):
		key.Gone = true
	case err != nil:
		r.unread(plan.ScopeKey+want.Name(), r.failed(err, want.Region, want.ID))
	default:
		m := out.KeyMetadata
		key.ARN, key.State, key.AWSManaged = aws.ToString(m.Arn), string(m.KeyState), m.KeyManager == types.KeyManagerTypeAws
	}
	// Only DescribeKey takes an alias.
	id := key.ARN
	if id == "" {
		id = want.ID
	}
	if !key.Gone {
		if key.Policy, err = keyPolicy(ctx, api, id); err != nil {
			r.unread(plan.ScopeKeyPolicy+want.Name(), r.failed(err, want.Region, id))
		}
		if key.Grants, err = keyGrants(ctx, api, id); err != nil {
			r.unread(plan.ScopeKeyGrants+want.Name(), r.failed(err, want.Region, id))
		}
	}
	r.note(func(snap *plan.Snapshot) {
		if snap.Keys == nil {
			snap.Keys = map[string]*plan.LiveKey{}
		}
		snap.Keys[want.Name()] = key
	})
}

func keyPolicy(ctx context.Context, api *kms.Client, id string) ([]byte, error) {
	// A key has one policy, of this name; emulators want it said.
	out, err := api.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &id, PolicyName: aws.String("default")})
	if err != nil {
		return nil, err
	}
	return []byte(aws.ToString(out.Policy)), nil
}

func keyGrants(ctx context.Context, api *kms.Client, id string) ([]plan.KeyGrant, error) {
	var grants []plan.KeyGrant
	pages := kms.NewListGrantsPaginator(api, &kms.ListGrantsInput{KeyId: &id, Limit: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, g := range page.Grants {
			grant := plan.KeyGrant{ID: aws.ToString(g.GrantId), Grantee: aws.ToString(g.GranteePrincipal)}
			if grant.Grantee == "" {
				grant.Grantee = aws.ToString(g.GranteeServicePrincipal)
			}
			for _, op := range g.Operations {
				grant.Operations = append(grant.Operations, string(op))
			}
			if c := g.Constraints; c != nil {
				grant.Subset, grant.Equals, grant.Source = c.EncryptionContextSubset, c.EncryptionContextEquals, aws.ToString(c.SourceArn)
			}
			grants = append(grants, grant)
		}
	}
	return grants, nil
}
