package awslive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"golang.org/x/sync/errgroup"

	"github.com/xshare/xshare/plan"
)

// How control policies are read.
//
// Premise: any account may ask what organization it is in, but only the
// management account and delegated administrators may see units and policies,
// and which accounts those administrators are nobody tells a member. So each
// account is asked for its organization; then the management account is tried,
// if it is one of the repository's, and if it may not list the roots all others.
// Who was refused once is not tried again by this client.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html

// membership is what an account was told of its own organization.
type membership struct {
	id, management string
	allFeatures    bool
	none           bool // it is in no organization
	failure        *plan.ReadFailure
}

// asked is what this client has learnt of organizations.
type asked struct {
	mu      sync.Mutex
	members map[string]*membership       // by account
	refused map[string]*plan.ReadFailure // who may not list the roots, by account
}

// Organizations finds out where accounts stand in their organization, and which
// control policies are above them. What cannot be read is said in each one's
// Unread; the only error is the context's.
func (c *Client) Organizations(ctx context.Context, accounts []string) (map[string]*plan.Organization, error) {
	found := map[string]*plan.Organization{}
	members := c.memberships(ctx, accounts)
	if slices.ContainsFunc(accounts, func(account string) bool { return members[account] == nil || members[account].failure != nil }) {
		// One that no grant is about may know the others' organization.
		for account, m := range c.memberships(ctx, c.accounts()) {
			members[account] = m
		}
	}
	ids := map[string]string{} // of the organizations, with their management accounts
	for _, m := range members {
		if m.id != "" {
			ids[m.id] = m.management
		}
	}
	var seen []string
	for id := range ids {
		seen = append(seen, id)
	}
	slices.Sort(seen)
	for _, id := range seen {
		for account, o := range c.organization(ctx, id, ids[id], accounts, members) {
			if found[account] == nil || found[account].Unread != nil {
				found[account] = o
			}
		}
	}
	for _, account := range accounts {
		m := members[account]
		switch {
		case found[account] != nil:
		case m != nil && m.none:
			found[account] = &plan.Organization{}
		case m != nil && m.failure != nil:
			found[account] = &plan.Organization{Unread: m.failure}
		default:
			found[account] = &plan.Organization{Unread: &plan.ReadFailure{Message: "no organization that xshare can list has that account, and the account itself is not read"}}
		}
	}
	return found, ctx.Err()
}

// memberships asks each account that can be read for its organization, once.
func (c *Client) memberships(ctx context.Context, accounts []string) map[string]*membership {
	members := map[string]*membership{}
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(readsAtOnce)
	for _, account := range accounts {
		g.Go(func() error {
			if m := c.membership(ctx, account); m != nil {
				mu.Lock()
				defer mu.Unlock()
				members[account] = m
			}
			return nil
		})
	}
	_ = g.Wait() // no errors
	return members
}

func (c *Client) membership(ctx context.Context, account string) *membership {
	c.asked.mu.Lock()
	known := c.asked.members[account]
	c.asked.mu.Unlock()
	if known != nil {
		return known
	}
	s, err := c.session(account)
	if err != nil {
		return nil // a partner's
	}
	m := &membership{}
	if err = s.ready(ctx); err == nil {
		var out *organizations.DescribeOrganizationOutput
		out, err = s.organizations().DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
		switch {
		case isCode(err, "AWSOrganizationsNotInUseException"):
			m.none, err = true, nil
		case err != nil:
			err = s.failed(err, "", "*")
		case out.Organization != nil:
			m.id, m.management = aws.ToString(out.Organization.Id), aws.ToString(out.Organization.MasterAccountId)
			m.allFeatures = out.Organization.FeatureSet == types.OrganizationFeatureSetAll
		}
	}
	if err != nil {
		f := failureOf("", err)
		m.failure = &f
	}
	if ctx.Err() == nil {
		c.asked.mu.Lock()
		defer c.asked.mu.Unlock()
		c.asked.members[account] = m
	}
	return m
}

// organization reads the control policies above those accounts that are in one
// organization.
func (c *Client) organization(ctx context.Context, id, management string, accounts []string, members map[string]*membership) map[string]*plan.Organization {
	found := map[string]*plan.Organization{}
	t, failure := c.tree(ctx, id, management, accounts)
	for _, account := range accounts {
		m := members[account]
		if m != nil && m.id != id && m.failure == nil {
			continue // in another organization, or in none
		}
		switch {
		case t == nil && m != nil && m.id == id:
			found[account] = &plan.Organization{ID: id, Management: account == management, Unread: failure}
		case t != nil:
			o, err := t.place(ctx, account)
			switch {
			case isCode(err, "ChildNotFoundException"):
				continue // in another organization
			case err != nil:
				f := failureOf("", err)
				o = &plan.Organization{ID: id, Unread: &f}
			}
			o.Management = account == management
			if o.Management {
				o.SCPs, o.RCPs, o.Unread = nil, nil, nil
			}
			found[account] = o
		}
	}
	return found
}

// tree is an organization, read by the first account that may.
type tree struct {
	session *session
	id      string
	kinds   []types.PolicyType // in force
	parents map[string]string  // of units and accounts
	targets map[string][]plan.ControlPolicy
	texts   map[string][]byte // of policies, by id
}

// tree finds the account that may list the organization's roots. Where none
// may, it says why not.
func (c *Client) tree(ctx context.Context, id, management string, accounts []string) (*tree, *plan.ReadFailure) {
	t, failure := c.rootsBy(ctx, id, management)
	if t != nil {
		return t, nil
	}
	var others []string
	for _, account := range append(slices.Clone(accounts), c.accounts()...) {
		if m := c.asked.of(account); account != management && !slices.Contains(others, account) && (m == nil || m.id == id) {
			others = append(others, account)
		}
	}
	trees, failures := make([]*tree, len(others)), make([]*plan.ReadFailure, len(others))
	var g errgroup.Group
	g.SetLimit(readsAtOnce)
	for i, account := range others {
		g.Go(func() error {
			trees[i], failures[i] = c.rootsBy(ctx, id, account)
			return nil
		})
	}
	_ = g.Wait() // no errors
	for i := range others {
		if trees[i] != nil {
			return trees[i], nil
		}
	}
	if failure != nil {
		return nil, failure
	}
	return nil, &plan.ReadFailure{
		Message: fmt.Sprintf("only the management account %s of organization %s and its delegated administrators can list them, and none that xshare reads could", management, id),
		Mend: "add one of those accounts to spec.accounts, and allow organizations:ListRoots, organizations:ListParents, " +
			"organizations:ListPoliciesForTarget and organizations:DescribePolicy to the role that xshare reads with there",
	}
}

// accounts are those that can be read.
func (c *Client) accounts() []string {
	var ids []string
	for _, a := range c.options.Accounts {
		if a.Manage {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

func (a *asked) of(account string) *membership {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.members[account]
}

// rootsBy lists the roots as one account. Both results are nil where it cannot
// be asked.
func (c *Client) rootsBy(ctx context.Context, id, account string) (*tree, *plan.ReadFailure) {
	c.asked.mu.Lock()
	refused := c.asked.refused[account]
	c.asked.mu.Unlock()
	if refused != nil {
		return nil, refused
	}
	s, err := c.session(account)
	if err != nil {
		return nil, nil
	}
	// An account that no grant is about may be in another organization.
	m := c.membership(ctx, account)
	if m == nil || m.failure != nil || m.id != id {
		if m != nil {
			return nil, m.failure
		}
		return nil, nil
	}
	t := &tree{session: s, id: id, parents: map[string]string{}, targets: map[string][]plan.ControlPolicy{}, texts: map[string][]byte{}}
	if !m.allFeatures {
		return t, nil // consolidated billing only: no policies
	}
	pages := organizations.NewListRootsPaginator(s.organizations(), &organizations.ListRootsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			f := failureOf("", s.failed(err, "", "*"))
			c.asked.mu.Lock()
			defer c.asked.mu.Unlock()
			if isDenied(err) {
				c.asked.refused[account] = &f
			}
			return nil, &f
		}
		for _, root := range page.Roots {
			for _, kind := range root.PolicyTypes {
				// What is being disabled is still in force.
				inForce := kind.Status == types.PolicyTypeStatusEnabled || kind.Status == types.PolicyTypeStatusPendingDisable
				if inForce && (kind.Type == types.PolicyTypeServiceControlPolicy || kind.Type == types.PolicyTypeResourceControlPolicy) {
					t.kinds = append(t.kinds, kind.Type)
				}
			}
		}
	}
	return t, nil
}

// place reads where an account is and the policies of each level above it.
func (t *tree) place(ctx context.Context, account string) (*plan.Organization, error) {
	levels, err := t.levels(ctx, account)
	if err != nil {
		return nil, err
	}
	o := &plan.Organization{ID: t.id, Path: strings.Join(append([]string{t.id}, levels[:len(levels)-1]...), "/") + "/"}
	for _, kind := range t.kinds {
		list := make([][]plan.ControlPolicy, 0, len(levels))
		for _, target := range levels {
			policies, err := t.policies(ctx, target, kind)
			if err != nil {
				return nil, err
			}
			list = append(list, policies)
		}
		if kind == types.PolicyTypeServiceControlPolicy {
			o.SCPs = list
		} else {
			o.RCPs = list
		}
	}
	return o, nil
}

// levels are the ids of the root, the units and the account, in that order.
func (t *tree) levels(ctx context.Context, account string) ([]string, error) {
	levels := []string{account}
	for strings.HasPrefix(levels[0], "ou-") || len(levels) == 1 {
		child := levels[0]
		if t.parents[child] == "" {
			out, err := t.session.organizations().ListParents(ctx, &organizations.ListParentsInput{ChildId: &child})
			if err != nil {
				return nil, t.session.failed(err, "", "*")
			}
			if len(out.Parents) != 1 {
				return nil, errors.New("AWS names no parent of " + child)
			}
			t.parents[child] = aws.ToString(out.Parents[0].Id)
		}
		levels = append([]string{t.parents[child]}, levels...)
	}
	return levels, nil
}

// policies are those of one kind that are attached to a target.
func (t *tree) policies(ctx context.Context, target string, kind types.PolicyType) ([]plan.ControlPolicy, error) {
	key := string(kind) + " " + target
	if list, ok := t.targets[key]; ok {
		return list, nil
	}
	api := t.session.organizations()
	list := []plan.ControlPolicy{}
	pages := organizations.NewListPoliciesForTargetPaginator(api, &organizations.ListPoliciesForTargetInput{TargetId: &target, Filter: kind})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, t.session.failed(err, "", "*")
		}
		for _, p := range page.Policies {
			id := aws.ToString(p.Id)
			if t.texts[id] == nil {
				out, err := api.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: p.Id})
				if err != nil {
					return nil, t.session.failed(err, "", "*")
				}
				t.texts[id] = []byte(aws.ToString(out.Policy.Content))
			}
			list = append(list, plan.ControlPolicy{ID: id, Name: aws.ToString(p.Name), Target: target, Document: t.texts[id]})
		}
	}
	slices.SortFunc(list, func(a, b plan.ControlPolicy) int { return strings.Compare(a.ID, b.ID) })
	t.targets[key] = list
	return list, nil
}
