package awslive

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/xshare/xshare/plan"
)

// people are the wanted users, and all groups, of the pages of one bulk read: a
// user's page may come before that of its groups.
//
// They come with the roles, at no call more. Single reads of one user take at
// least eight (itself, its inline and attached policies, its groups, and theirs),
// which is more than the pages of any account with less than some thousands of
// users, groups and policies; and they would take permissions of their own.
type people struct {
	users  []types.UserDetail
	groups map[string]types.GroupDetail
}

func (p *people) add(wanted []string, users []types.UserDetail, groups []types.GroupDetail) {
	for _, u := range users {
		if slices.Contains(wanted, aws.ToString(u.UserName)) {
			p.users = append(p.users, u)
		}
	}
	for _, g := range groups {
		if p.groups == nil {
			p.groups = map[string]types.GroupDetail{}
		}
		p.groups[aws.ToString(g.GroupName)] = g
	}
}

// live are the users with their groups.
func (p *people) live() map[string]*plan.LiveUser {
	live := map[string]*plan.LiveUser{}
	for _, d := range p.users {
		u := &plan.LiveUser{
			Name:     aws.ToString(d.UserName),
			Path:     cmp.Or(aws.ToString(d.Path), "/"),
			ARN:      aws.ToString(d.Arn),
			UniqueID: aws.ToString(d.UserId),
			Tags:     iamTags(d.Tags),
			Attached: attached(d.AttachedManagedPolicies),
			Inline:   inline(d.UserPolicyList),
		}
		if d.PermissionsBoundary != nil {
			u.Boundary = aws.ToString(d.PermissionsBoundary.PermissionsBoundaryArn)
		}
		for _, name := range d.GroupList {
			g, ok := p.groups[name]
			u.Groups = append(u.Groups, plan.LiveGroup{
				Name: name, Attached: attached(g.AttachedManagedPolicies), Inline: inline(g.GroupPolicyList), Unread: !ok,
			})
		}
		slices.SortFunc(u.Groups, func(a, b plan.LiveGroup) int { return strings.Compare(a.Name, b.Name) })
		live[u.Name] = u
	}
	return live
}

// attached are the ARNs of attached policies, sorted.
func attached(list []types.AttachedPolicy) []string {
	var arns []string
	for _, p := range list {
		arns = append(arns, aws.ToString(p.PolicyArn))
	}
	slices.Sort(arns)
	return arns
}

// inline are inline policies' documents by name; nil: none.
func inline(list []types.PolicyDetail) map[string][]byte {
	var documents map[string][]byte
	for _, p := range list {
		if documents == nil {
			documents = map[string][]byte{}
		}
		documents[aws.ToString(p.PolicyName)] = decodeDocument(p.PolicyDocument)
	}
	return documents
}
