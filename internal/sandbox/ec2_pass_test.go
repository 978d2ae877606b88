package sandbox

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
)

// Every way to give an instance a role asks for iam:PassRole on that role, and
// a denial leaves the instance as it was. (Adding a role to a profile:
// TestPassRole.)
func TestPassRoleToInstances(t *testing.T) {
	const id = "i-0123456789abcdef0"
	profile := &types.IamInstanceProfileSpecification{Name: aws.String("client")}
	calls := map[string]func(context.Context, *testing.T, testServer, *ec2.Client) error{
		"RunInstances": func(ctx context.Context, _ *testing.T, _ testServer, c *ec2.Client) error {
			_, err := c.RunInstances(ctx, launching())
			return err
		},
		"AssociateIamInstanceProfile": func(ctx context.Context, _ *testing.T, _ testServer, c *ec2.Client) error {
			_, err := c.AssociateIamInstanceProfile(ctx, &ec2.AssociateIamInstanceProfileInput{InstanceId: aws.String(id), IamInstanceProfile: profile})
			return err
		},
		"ReplaceIamInstanceProfileAssociation": func(ctx context.Context, t *testing.T, s testServer, c *ec2.Client) error {
			old := must(s.ec2(consumer).AssociateIamInstanceProfile(ctx, &ec2.AssociateIamInstanceProfileInput{
				InstanceId: aws.String(id), IamInstanceProfile: &types.IamInstanceProfileSpecification{Name: aws.String("untrusting")},
			}))(t).IamInstanceProfileAssociation.AssociationId
			_, err := c.ReplaceIamInstanceProfileAssociation(ctx, &ec2.ReplaceIamInstanceProfileAssociationInput{AssociationId: old, IamInstanceProfile: profile})
			return err
		},
	}
	pass := func(effect, resource, service string) string {
		return `,{"Effect":"` + effect + `","Action":"iam:PassRole","Resource":"` + resource + `","Condition":{"StringEquals":{"iam:PassedToService":"` + service + `"}}}`
	}
	right := pass("Allow", clientARN, "ec2.amazonaws.com")
	for name, v := range map[string]struct {
		statements, scp string
		denied          bool
	}{
		"allowed":            {right, "", false},
		"silent":             {"", "", true},
		"another role":       {pass("Allow", strings.Replace(clientARN, "client", "untrusting", 1), "ec2.amazonaws.com"), "", true},
		"to another service": {pass("Allow", clientARN, "lambda.amazonaws.com"), "", true},
		"denied":             {right + pass("Deny", "*", "ec2.amazonaws.com"), "", true},
		"denied by an SCP":   {right, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:PassRole","Resource":"*"}]}`, true},
	} {
		for operation, call := range calls {
			if v.scp != "" && operation == "ReplaceIamInstanceProfileAssociation" {
				continue // the test's own first association would be denied too
			}
			t.Run(name+"/"+operation, func(t *testing.T) {
				seed := fleet()
				seed.Roles = append(seed.Roles, SeedRole{Account: consumer, Name: "deployer", Trust: trusting(`{"AWS":"222222222222"}`), Inline: map[string]string{
					"p": policyOf(`{"Effect":"Allow","Action":"ec2:*","Resource":"*"}` + v.statements),
				}})
				s := start(t, Options{Seed: seed})
				if v.scp != "" {
					o := s.organize(t)
					o.control(t, scpType, "no passing", v.scp, consumer)
				}
				keys := s.as(t, consumer, "arn:aws:iam::222222222222:role/deployer")
				err := call(t.Context(), t, s, s.ec2(keys[0], keys[1:]...))
				list := must(s.ec2(consumer).DescribeIamInstanceProfileAssociations(t.Context(), &ec2.DescribeIamInstanceProfileAssociationsInput{}))(t).IamInstanceProfileAssociations
				given := len(list) == 1 && strings.HasSuffix(*list[0].IamInstanceProfile.Arn, "/client")
				if !v.denied {
					wantCode(t, err, "", "")
				} else {
					wantCode(t, err, "UnauthorizedOperation", "iam:PassRole on resource: "+clientARN)
				}
				if given == v.denied {
					t.Errorf("associations %+v, denied: %t", list, v.denied)
				}
			})
		}
	}
}

// A policy of the organization stops adding a role to a profile, too.
func TestPassRoleAndSCP(t *testing.T) {
	s := start(t, Options{Seed: fleet()})
	o := s.organize(t)
	o.control(t, scpType, "no passing", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:PassRole","Resource":"*"}]}`, consumer)
	add := func() error {
		_, err := s.iam(consumer).AddRoleToInstanceProfile(t.Context(), &iam.AddRoleToInstanceProfileInput{InstanceProfileName: str("empty"), RoleName: str("client")})
		return err
	}
	wantCode(t, add(), "AccessDenied", "iam:PassRole on resource: "+clientARN+" with an explicit deny in a service control policy")
	must(o.client.DisablePolicyType(t.Context(), &organizations.DisablePolicyTypeInput{RootId: &o.root, PolicyType: scpType}))(t)
	wantCode(t, add(), "", "")
}
