package simulate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// iamText refuses what IAM, STS and KMS take in no policy's text: characters
// beyond Latin-1 (the pattern of PolicyDocument in IAM:API_CreatePolicy, of
// Policy in STS:API_AssumeRole and KMS:API_PutKeyPolicy).
func iamText(d *iampolicy.Document) error {
	for i, s := range d.Statements {
		for _, c := range string(s.Raw) {
			if c > '\u00ff' {
				return fmt.Errorf("%s has the character %q, and AWS takes none beyond U+00FF in such a policy: write ? or * in its place", ordinal(s, i), c)
			}
		}
	}
	return nil
}

// resourceRules check a policy by what the service of a request refuses in the
// policy of such a resource.
func resourceRules(req *iampolicy.Request, d *iampolicy.Document) error {
	service, _, _ := strings.Cut(strings.ToLower(req.Action), ":")
	switch resource := iampolicy.CutARN(req.Resource).Service; {
	case service == "sts" && resource == "iam":
		return cmp.Or(trustRules(d), iamText(d))
	case service == "kms":
		return cmp.Or(needsResource(d), iamText(d))
	case service == "s3":
		return needsResource(d)
	case resource == "ec2":
		return errors.New("resources of EC2 have no policies: leave it out")
	}
	return nil
}

// trustRules: a trust policy is about its role, so it names no resources, and
// only actions of STS (IAM:id_roles_terms-and-concepts, "Trust policy"; the
// messages are IAM's own).
func trustRules(d *iampolicy.Document) error {
	for i, s := range d.Statements {
		if len(s.Resource)+len(s.NotResource) > 0 {
			return fmt.Errorf(`%s has Resource, which IAM refuses in a trust policy ("Has prohibited field Resource"): take it out`, ordinal(s, i))
		}
		for _, action := range slices.Concat(s.Action, s.NotAction) {
			if service, _, _ := strings.Cut(action, ":"); action != "*" && !strings.EqualFold(service, "sts") {
				return fmt.Errorf(`%s names %s, and IAM takes only actions of STS in a trust policy ("AssumeRole policy may only specify STS AssumeRole actions"): write sts:AssumeRole`, ordinal(s, i), action)
			}
		}
	}
	return nil
}

// needsResource: the policy of a bucket (S3:example-bucket-policies) or key
// (KMS:key-policy-overview) says what it is about.
func needsResource(d *iampolicy.Document) error {
	for i, s := range d.Statements {
		if len(s.Resource)+len(s.NotResource) == 0 {
			return fmt.Errorf("%s has no Resource, which AWS requires in the policy of a bucket or key: add it", ordinal(s, i))
		}
	}
	return nil
}

// rcpRules: a resource control policy denies, to everybody, by actions
// (ORG:orgs_manage_policies_rcps_syntax). The one that allows is
// RCPFullAWSAccess, which is always attached.
func rcpRules(d *iampolicy.Document) error {
	for i, s := range d.Statements {
		switch {
		case s.NotPrincipal != nil, s.Principal != nil && !onlyAnybody(s.Principal):
			return fmt.Errorf(`%s is not for everybody: AWS takes only the Principal "*" in a resource control policy: limit it by conditions`, ordinal(s, i))
		case len(s.NotAction) > 0:
			return fmt.Errorf("%s has NotAction, which AWS does not take in a resource control policy: write Action", ordinal(s, i))
		case s.Effect == iampolicy.Allow && !isFullAccess(s):
			return fmt.Errorf("%s allows: of the resource control policies only AWS's RCPFullAWSAccess does, for everything; write what is to be denied", ordinal(s, i))
		}
	}
	return nil
}

func onlyAnybody(p *iampolicy.Principals) bool {
	return p.Any && len(p.AWS)+len(p.Service)+len(p.Federated)+len(p.CanonicalUser) == 0
}

func isFullAccess(s iampolicy.Statement) bool {
	all := []string{"*"}
	return slices.Equal(s.Action, all) && slices.Equal(s.Resource, all) && len(s.Condition) == 0
}

// ordinal is how messages call a statement.
func ordinal(s iampolicy.Statement, i int) string {
	if s.Sid != "" {
		return fmt.Sprintf("statement %q", s.Sid)
	}
	return fmt.Sprintf("statement number %d", i+1)
}
