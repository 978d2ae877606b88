package awslive

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// doPolicy creates a managed policy, or gives a live one a new default version
// and our tags. Statements that are not ours stay as they are.
func (d *doing) doPolicy(ctx context.Context, want plan.Policy) error {
	if d.change.Before == nil {
		document, err := d.policyDocument(nil, want)
		if err != nil {
			return err
		}
		_, err = d.iam().CreatePolicy(ctx, &iam.CreatePolicyInput{
			PolicyName: &want.Name, Path: ptr(pathOf(want.ARN)), Tags: iamTagList(want.Tags),
			PolicyDocument: aws.String(string(document)),
		})
		if !isCode(err, "EntityAlreadyExists") {
			if err == nil {
				d.client.remember(want.ARN)
			}
			return d.fail(err, want.ARN)
		}
		// Our own answer was lost, or somebody was faster.
	}
	live, err := d.iam().GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &want.ARN})
	if err != nil {
		return d.fail(err, want.ARN)
	}
	d.client.remember(want.ARN)
	tags, version := iamTags(live.Policy.Tags), aws.ToString(live.Policy.DefaultVersionId)
	text, err := d.versionText(ctx, want.ARN, version)
	if err != nil {
		return err
	}
	// A policy's Sids are our mark too: bulk reads do not have its tags.
	if !d.mayTake(tags) && !d.hasOurs(text) {
		return d.foreignError("policy " + want.ARN)
	}
	document, err := d.policyDocument(text, want)
	if err != nil {
		return err
	}
	same, err := d.client.sameDocument(text, document)
	if err != nil {
		return fmt.Errorf("%s: policy %s: %w", d.account.ID, want.ARN, err)
	}
	if !same {
		if err := d.newVersion(ctx, want.ARN, document); err != nil {
			return err
		}
	}
	if missing := plan.MissingTags(want.Tags, tags); len(missing) > 0 {
		if _, err := d.iam().TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: &want.ARN, Tags: iamTagList(missing)}); err != nil {
			return d.fail(err, want.ARN)
		}
	}
	return nil
}

// policyDocument puts our statements into a live document, which may be nil.
func (d *doing) policyDocument(live []byte, want plan.Policy) ([]byte, error) {
	document, err := iampolicy.Merge(live, d.client.options.Ours, want.Ours)
	if err != nil {
		return nil, fmt.Errorf("%s: policy %s cannot be merged with ours: %w", d.account.ID, want.ARN, err)
	}
	if document == nil {
		return nil, fmt.Errorf("%s: policy %s would be left without a statement, which IAM does not take: detach or delete it by hand", d.account.ID, want.ARN)
	}
	return document, nil
}

// versionText reads a version's document. Versions never change, so the one
// that the plan has seen is not read again.
func (d *doing) versionText(ctx context.Context, arn, version string) ([]byte, error) {
	if version == d.change.DefaultVersion && d.change.Live != nil {
		return d.change.Live, nil
	}
	out, err := d.iam().GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: &version})
	if err != nil {
		return nil, d.fail(err, arn)
	}
	return decodeDocument(out.PolicyVersion.Document), nil
}

// newVersion makes document the policy's default version. The oldest version
// that is not in effect makes room for it.
func (d *doing) newVersion(ctx context.Context, arn string, document []byte) error {
	if len(d.change.Versions) >= plan.MaxPolicyVersions {
		if err := d.makeRoom(ctx, arn); err != nil {
			return err
		}
	}
	create := func() error {
		_, err := d.iam().CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
			PolicyArn: &arn, PolicyDocument: aws.String(string(document)), SetAsDefault: true,
		})
		return err
	}
	err := create()
	if isCode(err, "LimitExceeded") { // it has more versions than when the plan was made
		if err := d.makeRoom(ctx, arn); err != nil {
			return err
		}
		err = create()
	}
	return d.fail(err, arn)
}

// makeRoom deletes the oldest version that is not in effect, if there are as
// many as there may be.
func (d *doing) makeRoom(ctx context.Context, arn string) error {
	all, others, err := d.versions(ctx, arn)
	if err != nil {
		return err
	}
	if all < plan.MaxPolicyVersions || len(others) == 0 {
		return nil
	}
	_, err = d.iam().DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: &others[0]})
	if isCode(err, "NoSuchEntity") { // the answer to our own call was lost
		return nil
	}
	return d.fail(err, arn)
}

// versions counts a policy's versions and returns the ids of those that are
// not in effect, oldest first.
func (d *doing) versions(ctx context.Context, arn string) (all int, others []string, err error) {
	pages := iam.NewListPolicyVersionsPaginator(d.iam(), &iam.ListPolicyVersionsInput{PolicyArn: &arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, nil, d.fail(err, arn)
		}
		for _, v := range page.Versions {
			all++
			if !v.IsDefaultVersion {
				others = append(others, aws.ToString(v.VersionId))
			}
		}
	}
	sortVersions(others)
	return all, others, nil
}

// pathOf is the path in an IAM ARN, with slashes at both ends.
func pathOf(arn string) string {
	_, resource, _ := strings.Cut(arn, "/")
	i := strings.LastIndex(resource, "/")
	return "/" + resource[:i+1]
}
