package report

import (
	"bytes"
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/xshare/xshare/plan"
)

// The commands of each type of step, which are the calls that package awslive
// makes for it.

func (s *script) bucket(c *plan.Change, want plan.Bucket) {
	region := s.regionOf(c.Account, cmp.Or(want.Region, c.Region))
	owned := s.given("--expected-bucket-owner", c.Account)
	before, ok := c.Before.(plan.Bucket)
	if !ok {
		location := option{}
		if region != "us-east-1" { // where CreateBucket takes none
			location = s.structure("--create-bucket-configuration", struct{ LocationConstraint string }{region})
		}
		s.s3(c, region, "create-bucket", s.given("--bucket", want.Name), location)
		s.s3(c, region, "wait bucket-exists", s.given("--bucket", want.Name), owned)
	}
	if len(plan.MissingTags(want.Tags, before.Tags)) == 0 {
		return
	}
	all := map[string]string{} // it replaces all that are there
	maps.Copy(all, before.Tags)
	maps.Copy(all, want.Tags)
	s.s3(c, region, "put-bucket-tagging", s.given("--bucket", want.Name), owned, s.structure("--tagging", struct{ TagSet []tag }{tagList(all)}))
}

func (s *script) bucketPolicy(c *plan.Change, want plan.BucketPolicy) {
	bucket, owned := s.given("--bucket", want.Bucket), s.given("--expected-bucket-owner", c.Account)
	if want.Document == nil {
		s.s3(c, want.Region, "delete-bucket-policy", bucket, owned)
		return
	}
	s.s3(c, want.Region, "put-bucket-policy", bucket, owned, s.document("--policy", want.Document))
}

func (s *script) role(c *plan.Change, want plan.Role) {
	name := s.given("--role-name", want.Name)
	before, ok := c.Before.(plan.Role)
	if !ok {
		s.iam(c, "create-role", name, s.given("--path", want.Path),
			s.document("--assume-role-policy-document", want.Trust),
			s.ifGiven("--permissions-boundary", want.Boundary), s.structure("--tags", tagList(want.Tags)))
		s.iam(c, "wait role-exists", name)
		return
	}
	if !sameText(before.Trust, want.Trust) {
		s.iam(c, "update-assume-role-policy", name, s.document("--policy-document", want.Trust))
	}
	if want.Boundary != "" && want.Boundary != before.Boundary {
		s.iam(c, "put-role-permissions-boundary", name, s.given("--permissions-boundary", want.Boundary))
	}
	if missing := plan.MissingTags(want.Tags, before.Tags); len(missing) > 0 {
		s.iam(c, "tag-role", name, s.structure("--tags", tagList(missing)))
	}
}

// sameText reports whether two documents are the same in normal form.
func sameText(a, b []byte) bool { return bytes.Equal(a, b) || pretty(a) == pretty(b) }

func (s *script) policy(c *plan.Change, want plan.Policy) {
	arn := s.given("--policy-arn", want.ARN)
	before, ok := c.Before.(plan.Policy)
	if !ok {
		_, path, _ := strings.Cut(strings.TrimSuffix(want.ARN, want.Name), "/")
		s.iam(c, "create-policy", s.given("--policy-name", want.Name), s.given("--path", "/"+path),
			s.document("--policy-document", want.Document), s.structure("--tags", tagList(want.Tags)))
		s.iam(c, "wait policy-exists", arn)
		return
	}
	if !sameText(before.Document, want.Document) {
		if i := slices.IndexFunc(c.Versions, func(v string) bool { return v != c.DefaultVersion }); len(c.Versions) >= plan.MaxPolicyVersions && i >= 0 {
			s.iam(c, "delete-policy-version", arn, s.given("--version-id", c.Versions[i]))
		}
		s.iam(c, "create-policy-version", arn, ours("--set-as-default", ""), s.document("--policy-document", want.Document))
	}
	if missing := plan.MissingTags(want.Tags, before.Tags); len(missing) > 0 {
		s.iam(c, "tag-policy", arn, s.structure("--tags", tagList(missing)))
	}
}

func (s *script) instanceProfile(c *plan.Change, want plan.InstanceProfile) {
	name := s.given("--instance-profile-name", want.Name)
	before, ok := c.Before.(plan.InstanceProfile)
	if !ok {
		s.iam(c, "create-instance-profile", name, s.given("--path", want.Path), s.structure("--tags", tagList(want.Tags)))
		s.iam(c, "wait instance-profile-exists", name)
	} else if missing := plan.MissingTags(want.Tags, before.Tags); len(missing) > 0 {
		s.iam(c, "tag-instance-profile", name, s.structure("--tags", tagList(missing)))
	}
	if before.Role == want.Role {
		return
	}
	if before.Role != "" {
		s.iam(c, "remove-role-from-instance-profile", name, s.given("--role-name", before.Role))
	}
	s.iam(c, "add-role-to-instance-profile", name, s.given("--role-name", want.Role))
}

func (s *script) instance(c *plan.Change, want plan.Instance) {
	before, ok := c.Before.(plan.Instance)
	if !ok {
		s.launch(c, want)
		return
	}
	if missing := plan.MissingTags(want.Tags, before.Tags); len(missing) > 0 {
		s.ec2(c, "create-tags", s.given("--resources", before.ID), s.structure("--tags", tagList(missing)))
	}
	if before.ProfileARN != want.ProfileARN {
		s.profileOf(c, before.ID, before.ProfileARN, want.ProfileARN)
	}
}

func (s *script) launch(c *plan.Change, want plan.Instance) {
	image := s.given("--image-id", want.Image)
	if newest, ok := plan.Newest(want.Image); ok {
		image = ours("--image-id", `"$image"`)
		deprecated := option{}
		if newest.Deprecated {
			deprecated = ours("--include-deprecated", "")
		}
		s.taken("image", c, "describe-images", "sort_by(Images, &CreationDate)[-1].ImageId", ours("--owners", "amazon"), deprecated,
			s.structure("--filters", []filter{{"name", []string{newest.Pattern}}, {"state", []string{"available"}}}))
		s.line(`if [ "$image" = None ]; then`, "\techo "+quoted("there is no image "+newest.Pattern)+" >&2", "\texit 1", "fi")
	}
	groups := option{}
	if len(want.SecurityGroups) > 0 {
		groups = s.given("--security-group-ids", want.SecurityGroups...)
	}
	s.taken("instance", c, "run-instances", "Instances[0].InstanceId",
		ours("--count", "1"), image, s.given("--instance-type", want.Type),
		s.ifGiven("--subnet-id", want.Subnet), groups, s.ifGiven("--key-name", want.KeyName),
		s.structure("--iam-instance-profile", profileARN{want.ProfileARN}),
		ours("--metadata-options", "HttpTokens=required,HttpEndpoint=enabled"),
		s.structure("--tag-specifications", []taggedInstance{{"instance", tagList(want.Tags)}}))
	s.ec2(c, "wait instance-exists", ours("--instance-ids", `"$instance"`))
	s.line(`echo "launched $instance"`)
}

type profileARN struct{ Arn string }

type taggedInstance struct {
	ResourceType string
	Tags         []tag
}

func (s *script) association(c *plan.Change, want plan.Association) {
	before, _ := c.Before.(plan.Association)
	s.profileOf(c, want.InstanceID, before.ProfileARN, want.ProfileARN)
}

// profileName is what IAM takes for the name of an instance profile.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html
var profileName = regexp.MustCompile(`^[\w+=,.@-]+$`)

// profileOf gives an instance a profile. Another one is replaced; where none was
// seen, an association may be left of a profile of the same name that was
// deleted.
func (s *script) profileOf(c *plan.Change, id, before, want string) {
	name := want[strings.LastIndex(want, "/")+1:]
	if !profileName.MatchString(name) {
		s.refuse("the instance profile %q, which is no name", name)
	}
	query := "IamInstanceProfileAssociations[0].AssociationId"
	if before == "" {
		query = "IamInstanceProfileAssociations[?ends_with(IamInstanceProfile.Arn, '/" + name + "')].AssociationId | [0]"
	}
	s.taken("association", c, "describe-iam-instance-profile-associations", query,
		s.structure("--filters", []filter{{"instance-id", []string{id}}, {"state", []string{"associating", "associated"}}}))
	s.line(`if [ "$association" = None ]; then`)
	profile := s.structure("--iam-instance-profile", profileARN{want})
	s.line(inner(s.command(c, "ec2", "associate-iam-instance-profile", c.Region, s.given("--instance-id", id), profile)))
	s.line("else")
	s.line(inner(s.command(c, "ec2", "replace-iam-instance-profile-association", c.Region, ours("--association-id", `"$association"`), profile)))
	s.line("fi")
}

// remove takes a whole resource away, or an attachment.
func (s *script) remove(c *plan.Change) {
	switch before := c.Before.(type) {
	case plan.Attachment:
		s.iam(c, "detach-role-policy", s.given("--role-name", before.Role), s.given("--policy-arn", before.PolicyARN))
	case plan.Bucket: // S3 refuses one that has objects
		s.s3(c, before.Region, "delete-bucket", s.given("--bucket", before.Name), s.given("--expected-bucket-owner", c.Account))
	case plan.Role:
		s.iam(c, "delete-role", s.given("--role-name", before.Name))
	case plan.Policy:
		arn := s.given("--policy-arn", before.ARN)
		list := s.command(c, "iam", "list-policy-versions", "", arn,
			option{"--query", quoted("Versions[?!IsDefaultVersion].VersionId")}, option{"--output", "text"})
		s.line("versions=$("+list+")", "for version in $versions; do")
		s.line(inner(s.command(c, "iam", "delete-policy-version", "", arn, ours("--version-id", `"$version"`))), "done")
		s.iam(c, "delete-policy", arn)
	case plan.InstanceProfile:
		s.unused(c, before)
		name := s.given("--instance-profile-name", before.Name)
		if before.Role != "" {
			s.iam(c, "remove-role-from-instance-profile", name, s.given("--role-name", before.Role))
		}
		s.iam(c, "delete-instance-profile", name)
	case plan.Instance:
		s.ec2(c, "terminate-instances", s.given("--instance-ids", before.ID))
		s.ec2(c, "wait instance-terminated", s.given("--instance-ids", before.ID))
	default:
		s.refuse("a %T, which this version knows no commands for", before)
	}
}

// unused stops where an instance has a profile that is to go: it would lose its
// credentials without a word.
func (s *script) unused(c *plan.Change, profile plan.InstanceProfile) {
	for _, region := range s.plan.Regions {
		s.line("users=$(" + s.command(c, "ec2", "describe-instances", region,
			s.structure("--filters", []filter{{"iam-instance-profile.arn", []string{profile.ARN}}, {"instance-state-name", []string{"pending", "running", "stopping", "stopped"}}}),
			option{"--query", quoted("Reservations[].Instances[].InstanceId")}, option{"--output", "text"}) + ")")
		s.line(`[ -z "$users" ] || { echo ` + quoted("the instance profile is left alone: in "+region+" it is used by") + ` "$users" >&2; exit 1; }`)
	}
}

// inner is a command within an if or a loop. There is no document in it.
func inner(command string) string { return "\t" + strings.ReplaceAll(command, "\n", "\n\t") }
