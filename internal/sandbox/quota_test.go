package sandbox

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// An account that is full takes nothing more of the kind, and again takes one
// when one has gone.
func TestAccountQuotas(t *testing.T) {
	var seed Seed
	for i := range max(roleKind.quota, maxPolicies) {
		name := fmt.Sprint("n", i)
		if i < roleKind.quota {
			seed.Roles = append(seed.Roles, SeedRole{Account: owner, Name: name, Trust: trusting(`{"AWS":"` + owner + `"}`)})
		}
		if i < maxProfiles {
			seed.Profiles = append(seed.Profiles, SeedProfile{Account: owner, Name: name})
		}
		if i < maxPolicies {
			seed.Policies = append(seed.Policies, SeedPolicy{Account: owner, Name: name, Document: allowAll})
		}
	}
	for i := range maxBuckets {
		seed.Buckets = append(seed.Buckets, SeedBucket{Account: owner, Name: fmt.Sprint("bucket-", i), Region: "us-east-1"})
	}
	s := start(t, Options{Seed: seed})
	ctx, c := t.Context(), s.iam(owner)
	cases := map[string]struct {
		create, remove func() error
		code, part     string
	}{
		"roles": {
			func() error { _, err := c.CreateRole(ctx, createRoleInput("new")); return err },
			func() error { _, err := c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: str("n0")}); return err },
			"LimitExceeded", "RolesPerAccount: 1000",
		},
		"policies": {
			func() error {
				_, err := c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: str("new"), PolicyDocument: str(allowAll)})
				return err
			},
			func() error {
				_, err := c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: str(ownPolicy("n0"))})
				return err
			},
			"LimitExceeded", "PoliciesPerAccount: 1500",
		},
		"instance profiles": {
			func() error {
				_, err := c.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: str("new")})
				return err
			},
			func() error {
				_, err := c.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: str("n0")})
				return err
			},
			"LimitExceeded", "InstanceProfilesPerAccount: 1000",
		},
		"buckets": {
			func() error {
				_, err := s.s3(owner).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: str("new-bucket")})
				return err
			},
			func() error {
				_, err := s.s3(owner).DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: str("bucket-0")})
				return err
			},
			"TooManyBuckets", "more buckets than allowed",
		},
	}
	for name, k := range cases {
		t.Run(name, func(t *testing.T) {
			wantCode(t, k.create(), k.code, k.part)
			if err := k.remove(); err != nil {
				t.Fatal(err)
			}
			if err := k.create(); err != nil {
				t.Fatal(err)
			}
		})
	}
	if _, err := s.iam(consumer).CreateRole(ctx, createRoleInput("new")); err != nil {
		t.Errorf("another account is full as well: %v", err)
	}
}
