package proof_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// An alias or a key's id names another key in each region, and in each account.
func TestKeysOfOneName(t *testing.T) {
	const near, far = "near", "far"
	for name, tt := range map[string]struct {
		farRegion, farAccount string
	}{
		"two regions":  {"eu-west-1", owner},
		"two accounts": {"us-east-1", security},
		"both":         {"eu-west-1", security},
	} {
		for _, of := range [][2]string{{"alias/data", near}, {"alias/data", far}, {"mrk-1234abcd", near}, {"mrk-1234abcd", far}} {
			called, shut := of[0], of[1]
			t.Run(name+"/"+called+" shut "+shut, func(t *testing.T) {
				lake := &specs.Account{Alias: "lake", ID: owner, Region: "us-east-1", Manage: true}
				other := lake
				repo := &specs.Repository{Name: "acme-data", Region: "us-east-1", Accounts: []*specs.Account{lake}}
				if tt.farAccount != owner {
					other = &specs.Account{Alias: "other", ID: tt.farAccount, Region: "us-east-1", Manage: true}
					repo.Accounts = append(repo.Accounts, other)
				}
				share := func(name, region string, account *specs.Account) *specs.Share {
					return &specs.Share{
						Name: name, Bucket: specs.Bucket{Name: name + "-bucket", Account: account, Region: region, Create: true},
						Consumers: []*specs.Consumer{{
							Account: account, Access: []specs.Access{specs.AccessRead},
							Role: specs.Role{Name: "reader-" + name, Path: "/", Create: true, TrustService: "lambda.amazonaws.com"},
						}},
					}
				}
				repo.Shares = []*specs.Share{share(near, "us-east-1", lake), share(far, tt.farRegion, other)}
				p, snapshots := built(t, repo)
				for _, of := range []struct{ share, region, account string }{{near, "us-east-1", owner}, {far, tt.farRegion, tt.farAccount}} {
					snap := snapshots[of.account]
					b := snap.Buckets[of.share+"-bucket"]
					b.Encryption = &plan.Encryption{Algorithm: "aws:kms", Key: called}
					arn := "arn:aws:kms:" + of.region + ":" + of.account + ":key/" + of.share
					effect := "Allow"
					if of.share == shut {
						effect = "Deny"
					}
					if snap.Keys == nil {
						snap.Keys = map[string]*plan.LiveKey{}
					}
					for _, want := range plan.KeyWants(snapshots, repo.Accounts) {
						for _, key := range want.Keys {
							if want.Account == of.account && key.Region == of.region {
								snap.Keys[key.Name()] = &plan.LiveKey{ARN: arn, State: "Enabled", Policy: []byte(`{"Version":"2012-10-17","Statement":[` +
									`{"Effect":"` + effect + `","Principal":{"AWS":"arn:aws:iam::` + of.account + `:role/reader-` + of.share + `"},"Action":"kms:*","Resource":"*"}]}`)}
							}
						}
					}
				}
				got := map[string]proof.Verdict{}
				for _, g := range proof.Live(p, snapshots) {
					got[g.Share] = g.Verdict
				}
				want := map[string]proof.Verdict{near: proof.Allowed, far: proof.Allowed}
				want[shut] = proof.Denied
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}
