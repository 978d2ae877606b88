package campaign

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/awslive"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
)

// mend does what explain says about the causes of one access. It is false where
// nothing could be done: AWS refuses it to the account's administrator, an
// apply stops and says why, or it takes somebody who decides.
func (s *scene) mend(what, principal, bucket string, roots []proof.Root) bool {
	done := false
	s.absent = strings.Contains(principal, ":role/") && !s.isThere(principal)
	for _, root := range roots {
		s.note("  %s says %s: %s", what, root.Code, root.Mend)
		kind := ""
		switch {
		case len(root.Fragments) > 0:
			kind = "by fragments"
			if !s.edits(principal, root.Fragments) {
				kind += ", refused to the administrator"
				break
			}
			done = true
		case strings.Contains(root.Mend, "`xshare apply"):
			kind = "by apply"
			if why := s.applies(strings.Contains(root.Mend, "--adopt")); why != "" {
				kind += ", which stops"
				s.note("  apply stops: %s", why)
				break
			}
			done = true
		case s.byHand(root, bucket):
			kind = "by hand"
			done = true
		default:
			kind = "in words: " + string(root.Code)
		}
		s.tally.mends[kind]++
	}
	return done
}

// edits makes edits of policies, those of one policy at once.
func (s *scene) edits(principal string, list []proof.Fragment) bool {
	var order []string
	by := map[string][]proof.Fragment{}
	for _, f := range list {
		name := f.Side + " " + f.Policy
		if by[name] == nil {
			order = append(order, name)
		}
		by[name] = append(by[name], f)
	}
	ok := true
	for _, name := range order {
		ok = s.editOf(principal, by[name]) && ok
	}
	return ok
}

// editOf makes the edits of one policy.
func (s *scene) editOf(principal string, list []proof.Fragment) bool {
	f := list[0]
	name := f.Policy[strings.LastIndex(f.Policy, " ")+1:]
	iam := func(action string, parameters ...string) answer {
		return s.query(f.Account, "iam", action, parameters...)
	}
	switch f.Side {
	case proof.PartResource:
		return s.editText(list, s.s3(admin(f.Account), "GET", name+"?policy", "").text, func(p policy) answer { return s.putPolicy(name, p) })
	case proof.PartTrust:
		return s.editText(list, unescaped(s.t, s.iamOf(principal, "GetRole").element("AssumeRolePolicyDocument")), func(p policy) answer {
			return s.iamOf(principal, "UpdateAssumeRolePolicy", "PolicyDocument", p.String())
		})
	case proof.PartKey:
		region := "us-east-1"
		id := s.object(f.Account, "kms", region, "DescribeKey", map[string]any{"KeyId": name})
		if !id.ok() {
			region = "eu-west-1"
			id = s.object(f.Account, "kms", region, "DescribeKey", map[string]any{"KeyId": name})
		}
		arn := id.field("KeyMetadata", "Arn")
		if arn == "" {
			return false
		}
		return s.editText(list, s.keyCall(arn, "GetKeyPolicy", map[string]any{"PolicyName": "default"}).field("Policy"), func(p policy) answer {
			return s.keyCall(arn, "PutKeyPolicy", map[string]any{"PolicyName": "default", "Policy": p.String()})
		})
	case proof.PartSCP, proof.PartRCP:
		return s.editControl(list, name)
	}
	what, group, ofGroup := strings.Cut(f.Policy, " of group ")
	kind, _, _ := strings.Cut(what, " ")
	name = what[strings.LastIndex(what, " ")+1:]
	noun := "Role"
	if strings.Contains(principal, ":user/") {
		noun = "User"
	}
	owner := nameOf(principal)
	if strings.Contains(principal, ":assumed-role/") {
		owner = strings.Split(principal, "/")[1]
	}
	if ofGroup {
		noun, owner = "Group", group
	}
	inline := func(name string) bool {
		text := `{"Version":"2012-10-17","Statement":[]}`
		if a := iam("Get"+noun+"Policy", noun+"Name", owner, "PolicyName", name); a.ok() {
			text = unescaped(s.t, a.element("PolicyDocument"))
		}
		return s.editText(list, text, func(p policy) answer {
			if len(p.statements()) == 0 {
				return iam("Delete"+noun+"Policy", noun+"Name", owner, "PolicyName", name)
			}
			return iam("Put"+noun+"Policy", noun+"Name", owner, "PolicyName", name, "PolicyDocument", p.String())
		})
	}
	switch {
	case kind == "inline":
		return inline(name)
	case kind == "a": // policy of it, whichever
		return inline("mended")
	}
	arn := "arn:aws:iam::" + f.Account + ":policy/" + name
	p, ok := s.managed(arn)
	return ok && s.editText(list, p.String(), func(p policy) answer { return s.putVersion(arn, p) })
}

// editText takes statements out of a policy and puts others in.
func (s *scene) editText(list []proof.Fragment, text string, put func(policy) answer) bool {
	p := newPolicy()
	if strings.HasPrefix(text, "{") {
		p = policyOf(s.t, text)
	}
	for _, f := range list {
		at := len(p.statements())
		if f.Remove != nil {
			out := s.value(f.Remove)
			at = slices.IndexFunc(p.statements(), func(have any) bool { return reflect.DeepEqual(have, out) })
			if at < 0 {
				return false // another edit was there before, or it cannot be read
			}
			p["Statement"] = slices.Delete(slices.Clone(p.statements()), at, at+1)
		}
		if f.Add != nil {
			p["Statement"] = slices.Insert(slices.Clone(p.statements()), at, s.value(f.Add))
		}
	}
	a := put(p)
	if !a.ok() {
		s.note("  refused: %d %s: %s", a.status, a.text, p)
		// Who is not there has to be made first, and is the first cause.
		if strings.Contains(a.text, "Malformed") && !s.absent {
			s.fault("the edit that explain gives is not taken: %s: %s", a.text, p)
		}
	}
	return a.ok()
}

func (s *scene) value(text json.RawMessage) (v any) {
	if err := json.Unmarshal(text, &v); err != nil {
		s.t.Fatalf("%v: %s", err, text)
	}
	return v
}

// control is the id of a policy of the organization by its name and target.
func (s *scene) control(kind, name, target string) string {
	var page struct{ Policies []struct{ ID, Name string } }
	text := s.org("ListPoliciesForTarget", map[string]any{"TargetId": target, "Filter": kind}).text
	_ = json.Unmarshal([]byte(text), &page) // refused: there is none
	for _, p := range page.Policies {
		if p.Name == name {
			return p.ID
		}
	}
	return ""
}

func (s *scene) editControl(list []proof.Fragment, target string) bool {
	kind := map[string]string{proof.PartSCP: scpType, proof.PartRCP: rcpType}[list[0].Side]
	words := strings.Fields(list[0].Policy) // service control policy NAME on TARGET, or: a service control policy on TARGET
	if list[0].Remove == nil {
		return s.editText(list, "", func(p policy) answer {
			if !s.attachControl(kind, target, p.String()) {
				return answer{status: 400}
			}
			return answer{status: 200}
		})
	}
	id := s.control(kind, words[3], target)
	return s.editText(list, s.org("DescribePolicy", map[string]any{"PolicyId": id}).field("Policy", "Content"), func(p policy) answer {
		if len(p.statements()) == 0 {
			return s.org("DetachPolicy", map[string]any{"PolicyId": id, "TargetId": target})
		}
		return s.org("UpdatePolicy", map[string]any{"PolicyId": id, "Content": p.String()})
	})
}

// applies applies the repository; it says why not all of it was done.
func (s *scene) applies(adopt bool) string {
	repo := s.base.repo
	p, _ := plan.Build(repo, func(string) bool { return true })
	client, err := awslive.New(s.t.Context(), awslive.Options{
		Accounts: repo.Accounts, Partition: p.Partition, Region: repo.Region, Regions: p.Regions,
		Repository: repo.Name, Ours: p.Ours, Sandbox: &awslive.Endpoint{URL: s.endpoint, Account: key}, Clock: s.clock,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	snapshots, err := executor.Observe(s.t.Context(), client, p.Wants(false), concurrency, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	a := &applied{changes: plan.Compare(p, snapshots, plan.Options{Adopt: adopt})}
	if !a.changes.Stops() {
		a.result = executor.Apply(s.t.Context(), nil, client, a.changes, concurrency, nil)
	}
	s.restore()
	if a.succeeded() {
		return ""
	}
	return strings.Join(a.why(), "\n  ")
}

// byHand does what explain says in words alone.
func (s *scene) byHand(root proof.Root, bucket string) bool {
	key := s.base.keys[bucket]
	switch root.Code {
	case proof.KMSKeyUnusable:
		arn := root.Resource
		s.keyCall(arn, "CancelKeyDeletion", map[string]any{}) // refused where it is not to be deleted
		return s.tried(s.keyCall(arn, "EnableKey", map[string]any{}))
	case proof.AWSManagedKey, proof.KMSKeyNotARN, proof.KMSKeyRegion, proof.KMSKeyMissing:
		algorithm := "aws:kms"
		if key == "" {
			algorithm = "AES256"
		}
		ok := s.tried(s.encryptBy(bucket, algorithm, key, false))
		s.restore()
		return ok
	case proof.ResourceControl: // it denies that services assume roles
		for target, account := range map[string]string{lake: lake, analytics: analytics} {
			if account != root.Account || !s.barred[account] {
				continue
			}
			for _, name := range s.controls(rcpType, target) {
				if s.tried(s.org("DetachPolicy", map[string]any{"PolicyId": s.control(rcpType, name, target), "TargetId": target})) {
					delete(s.barred, account)
				}
			}
			return !s.barred[account]
		}
	}
	return false
}

// controls are the names of a target's policies that are not AWS's.
func (s *scene) controls(kind, target string) []string {
	var page struct{ Policies []struct{ Name string } }
	_ = json.Unmarshal([]byte(s.org("ListPoliciesForTarget", map[string]any{"TargetId": target, "Filter": kind}).text), &page) // refused: there is none
	var names []string
	for _, p := range page.Policies {
		if strings.HasPrefix(p.Name, "Control") {
			names = append(names, p.Name)
		}
	}
	return names
}
