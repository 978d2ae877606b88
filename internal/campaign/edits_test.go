package campaign

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/specs"
)

// TestEdits makes random edits to a repository and random changes by hand, and
// applies in between: all of it, or with --only. After each apply the live
// access is what the specs say, what is foreign is as it was, and another apply
// has nothing to write.
func TestEdits(t *testing.T) {
	applies := 0
	rapid.Check(t, func(rt *rapid.T) {
		e := newEditor(t, rt)
		defer e.world.close(t)
		for range rapid.IntRange(2, 5).Draw(rt, "rounds") {
			e.editSpecs(rt)
			if e.repo == nil {
				continue // no edit was one that the specs allow
			}
			for range rapid.IntRange(0, 2).Draw(rt, "changes by hand") {
				e.byHand(rt)
			}
			if len(e.model.shares) > 0 && !e.moved && rapid.IntRange(0, 3).Draw(rt, "only") == 0 {
				e.applySome(rt)
				applies++
			}
			e.applyAll(rt)
			applies++
		}
	})
	t.Logf("%d applies", applies)
}

// editor is one sequence.
type editor struct {
	t        *testing.T
	world    *world
	universe *universe
	model    *model
	repo     *specs.Repository
	there    made
	foreign  map[string][]string // statements by bucket
	inline   map[string]bool     // roles with a foreign inline policy, as account/role
	counter  int
	// moved: a grant went from one permissions policy to another. With --only it
	// is then closed until the rest is applied, which is known.
	moved bool
}

func newEditor(t *testing.T, rt *rapid.T) *editor {
	old, err := everythingOld().load()
	if err != nil {
		rt.Fatal(err)
	}
	e := &editor{
		t: t, universe: modelUniverse(), model: &model{shares: map[string]*modelShare{}},
		there: made{}, foreign: map[string][]string{}, inline: map[string]bool{},
	}
	e.world = newWorld(t, old, nil, sandbox.Options{})
	return e
}

// editSpecs makes one to four edits that the specs allow.
func (e *editor) editSpecs(rt *rapid.T) {
	for range rapid.IntRange(1, 4).Draw(rt, "edits") {
		next := e.model.clone()
		next.edit(rt)
		next.complete(e.there)
		if repo, err := next.load(); err == nil {
			e.moved = e.moved || next.policyNames() != e.model.policyNames()
			e.model, e.repo = next, repo
		}
	}
}

// applyAll applies all of the repository and looks at what came of it.
func (e *editor) applyAll(rt *rapid.T) {
	g := e.world.watch(rt, e.universe.buckets, statedPolicies(rt, e.repo), e.foreign)
	e.world.set(nil, g.look)
	defer e.world.set(nil, nil)
	a := e.world.apply(rt, e.repo)
	if !a.succeeded() {
		rt.Fatalf("apply failed:\n  %s\n%s", few(a.why()), e.model)
	}
	e.note()
	live := e.world.read(rt, e.universe)
	if list := live.differences(e.repo); len(list) > 0 {
		rt.Fatalf("live access is not what the specs say:\n  %s\n%s", few(list), e.model)
	}
	if list := live.lingering(e.repo); len(list) > 0 {
		rt.Fatalf("the identity side allows what no share grants:\n  %s\n%s", few(list), e.model)
	}
	g.end(rt)
	e.foreignIsThere(rt)
	e.again(rt)
	e.moved = false
}

// applySome applies one share only. What no part of it is about stays.
func (e *editor) applySome(rt *rapid.T) {
	only := rapid.SampledFrom(slices.Sorted(maps.Keys(e.model.shares))).Draw(rt, "only share")
	before := e.world.read(rt, e.universe)
	g := e.world.watch(rt, e.universe.buckets, statedPolicies(rt, e.repo), e.foreign)
	e.world.set(nil, g.look)
	defer e.world.set(nil, nil)
	a := e.world.apply(rt, e.repo, only)
	if !a.succeeded() {
		rt.Fatalf("apply --only %s failed:\n  %s\n%s", only, few(a.why()), e.model)
	}
	e.note()
	live := e.world.read(rt, e.universe)
	selected := *e.repo
	selected.Shares = slices.DeleteFunc(slices.Clone(e.repo.Shares), func(s *specs.Share) bool { return s.Name != only })
	var wrong []string
	for role := range e.universe.roles {
		for bucket := range e.universe.buckets {
			for _, q := range e.universe.questions(role, bucket) {
				was, is, want := before.allows(q).both, live.allows(q).both, stated(e.repo, q)
				switch {
				case is && !was && !want:
					wrong = append(wrong, fmt.Sprintf("%s: opened, and no share grants it", q))
				case !is && was && want:
					wrong = append(wrong, fmt.Sprintf("%s: closed, and a share grants it", q))
				case !is && stated(&selected, q):
					wrong = append(wrong, fmt.Sprintf("%s: not open, and the share grants it", q))
				}
			}
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		rt.Fatalf("apply --only %s:\n  %s\n%s", only, few(wrong), e.model)
	}
	g.end(rt)
	e.foreignIsThere(rt)
	e.again(rt, only)
}

// again applies once more, which must write nothing.
func (e *editor) again(rt *rapid.T, only ...string) {
	var mu sync.Mutex
	var writes []string
	e.world.set(func(c call, handled bool) bool {
		if handled && c.writes {
			mu.Lock()
			defer mu.Unlock()
			writes = append(writes, c.operation+" "+c.signature)
		}
		return false
	}, nil)
	defer e.world.set(nil, nil)
	if a := e.world.apply(rt, e.repo, only...); !a.succeeded() || len(writes) > 0 {
		rt.Fatalf("a second apply %q succeeds: %v %s, writes %q\n%s", only, a.succeeded(), few(a.why()), writes, e.model)
	}
}

// note remembers what exists by now.
func (e *editor) note() {
	for bucket, alias := range modelBuckets {
		e.there[bucket] = e.world.hasBucket(modelAccounts[alias], bucket)
	}
	for arn := range e.world.read(e.t, e.universe).identity {
		fields := strings.SplitN(arn, ":", 6)
		for alias, id := range modelAccounts {
			if id == fields[4] {
				e.there[alias+"/"+strings.TrimPrefix(fields[5], "role/")] = true
			}
		}
	}
}

func (e *editor) foreignIsThere(rt *rapid.T) {
	for key := range e.inline {
		account, role, _ := strings.Cut(key, "/")
		text := e.world.iam(rt, account, "GetRolePolicy", "RoleName", role, "PolicyName", "foreign")
		if !strings.Contains(text, "elsewhere") {
			rt.Fatalf("the foreign inline policy of %s is not as it was: %s", key, text)
		}
	}
}

// byHand is what somebody does beside xshare.
func (e *editor) byHand(rt *rapid.T) {
	bucket := rapid.SampledFrom(slices.Sorted(maps.Keys(modelBuckets))).Draw(rt, "bucket by hand")
	account := modelAccounts[modelBuckets[bucket]]
	kind := rapid.SampledFrom([]string{
		"foreign statement", "foreign statement", "foreign statement removed", "ours widened", "ours removed",
		"detached", "inline policy", "role deleted", "role made again",
	}).Draw(rt, "by hand")
	switch kind {
	case "detached", "inline policy", "role deleted", "role made again":
		e.roleByHand(rt, kind)
		return
	}
	if !e.world.hasBucket(account, bucket) {
		return
	}
	if strings.Contains(e.world.bucketPolicy(rt, account, bucket), `"AROA`) && kind != "ours removed" {
		return // S3 takes no policy that names somebody who is gone
	}
	switch kind {
	case "foreign statement":
		e.counter++
		statement := e.foreignOf(rt, account, bucket)
		e.world.addForeign(rt, account, bucket, statement)
		e.foreign[bucket] = append(slices.Clone(e.foreign[bucket]), statement)
	case "foreign statement removed":
		if n := len(e.foreign[bucket]); n > 0 {
			at := rapid.IntRange(0, n-1).Draw(rt, "which")
			e.foreign[bucket] = slices.Delete(slices.Clone(e.foreign[bucket]), at, at+1)
			e.rewrite(rt, account, bucket, func(s iampolicy.Statement) string {
				if e.isForeign(s) && !slices.Contains(e.foreign[bucket], string(s.Raw)) {
					return ""
				}
				return string(s.Raw)
			})
		}
	case "ours widened":
		e.rewrite(rt, account, bucket, func(s iampolicy.Statement) string {
			if e.isForeign(s) {
				return string(s.Raw)
			}
			return strings.Replace(string(s.Raw), `"s3:GetObject"`, `"s3:*"`, 1)
		})
	case "ours removed":
		e.rewrite(rt, account, bucket, func(s iampolicy.Statement) string {
			return when(e.isForeign(s), string(s.Raw))
		})
	}
}

func (e *editor) isForeign(s iampolicy.Statement) bool {
	return !strings.HasPrefix(s.Sid, iampolicy.MarkPrefix("edited"))
}

// foreignOf is a statement in one of the shapes that people and tools write.
func (e *editor) foreignOf(rt *rapid.T, account, bucket string) string {
	name := fmt.Sprintf("Foreign%d", e.counter)
	return rapid.SampledFrom([]string{
		foreignStatement(account, bucket, name),
		`{"Sid":"` + name + `","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::` + bucket + `","arn:aws:s3:::` + bucket + `/*"],"Condition":{"Bool":{"aws:SecureTransport":false}}}`,
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + elsewhere + `:root"},"Action":["s3:GetObject"],"Resource":"arn:aws:s3:::` + bucket + `/` + name + `/*"}`,
		`{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + bucket + `/` + name + `/*","Sid":"` + iampolicy.MarkPrefix("another") + fmt.Sprintf("%010x", e.counter) + `"}`,
	}).Draw(rt, "statement")
}

// rewrite puts a bucket's policy with each statement as text says; empty: without it.
func (e *editor) rewrite(rt *rapid.T, account, bucket string, text func(iampolicy.Statement) string) {
	live := e.world.bucketPolicy(rt, account, bucket)
	if live == "" {
		return
	}
	var statements []string
	for _, s := range parse(rt, live).Statements {
		if statement := text(s); statement != "" {
			statements = append(statements, statement)
		}
	}
	policy := ""
	if len(statements) > 0 {
		policy = `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",\n") + `]}`
	}
	e.world.putBucketPolicy(rt, account, bucket, policy)
}

// roleByHand does something to a role that exists.
func (e *editor) roleByHand(rt *rapid.T, kind string) {
	live := e.world.read(rt, e.universe)
	arns := slices.DeleteFunc(slices.Sorted(maps.Keys(live.identity)), func(arn string) bool { return !e.universe.roles[arn] })
	arn := rapid.SampledFrom(arns).Draw(rt, "role by hand")
	fields := strings.SplitN(arn, ":", 6)
	account, path := fields[4], strings.TrimPrefix(fields[5], "role/")
	name := path[strings.LastIndex(path, "/")+1:]
	detach := func() {
		for _, p := range live.identity[arn] {
			if strings.HasPrefix(p.Name, "arn:") {
				e.world.iam(rt, account, "DetachRolePolicy", "RoleName", name, "PolicyArn", p.Name)
			}
		}
	}
	switch kind {
	case "detached":
		detach()
	case "inline policy":
		e.inline[account+"/"+name] = true
		e.world.iam(rt, account, "PutRolePolicy", "RoleName", name, "PolicyName", "foreign", "PolicyDocument",
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::elsewhere/*"}}`)
	default:
		// What exists already has to exist; what is made is made again by xshare.
		if isOld(path) != (kind == "role made again") || !isOld(path) && !e.isCreated(account, path) {
			return
		}
		detach()
		if e.inline[account+"/"+name] {
			e.world.iam(rt, account, "DeleteRolePolicy", "RoleName", name, "PolicyName", "foreign")
			delete(e.inline, account+"/"+name)
		}
		if strings.Contains(e.world.iam(rt, account, "ListInstanceProfilesForRole", "RoleName", name), "<InstanceProfileName>") {
			e.world.iam(rt, account, "RemoveRoleFromInstanceProfile", "InstanceProfileName", name, "RoleName", name)
		}
		e.world.iam(rt, account, "DeleteRole", "RoleName", name)
		if isOld(path) {
			e.world.iam(rt, account, "CreateRole", "RoleName", name, "Path", "/"+strings.TrimSuffix(path, name), "AssumeRolePolicyDocument",
				`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`)
		}
	}
}

// isCreated reports whether a share would create the role if it were gone, or
// no share names it.
func (e *editor) isCreated(account, path string) bool {
	named := false
	for _, s := range e.model.shares {
		for _, c := range s.consumers {
			if modelAccounts[c.account] == account && c.role == path {
				named = true
				if c.create {
					return true
				}
			}
		}
	}
	if !named {
		for alias, id := range modelAccounts {
			if id == account {
				delete(e.there, alias+"/"+path)
			}
		}
	}
	return !named
}
