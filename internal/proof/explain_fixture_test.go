package proof_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

const (
	notes      = "notes" // a bucket that no spec names
	notesARN   = "arn:aws:s3:::" + notes
	analyst    = "analyst" // a role that no spec names
	analystARN = "arn:aws:iam::" + consumer + ":role/team/" + analyst
	notesKey   = "arn:aws:kms:us-east-1:" + owner + ":key/11111111-2222-3333-4444-555555555555"
)

// byHand is the recipe's world and beside it, made by hand, a role that may
// read and list a bucket.
func byHand(t *testing.T) (*plan.Plan, []*specs.Account, live) {
	t.Helper()
	repo := recipe(nil)
	p, snapshots := built(t, repo)
	l := live{t, snapshots}
	snapshots[owner].Listed = map[string]string{bucket: "us-east-1", notes: "us-east-1"}
	snapshots[consumer].Listed = map[string]string{}
	b := *l.bucket()
	b.Name = notes
	b.Policy = []byte(`{"Version":"2012-10-17","Statement":[{"Sid":"Analyst","Effect":"Allow","Principal":{"AWS":"` + analystARN + `"},"Action":["s3:GetObject","s3:ListBucket"],"Resource":["` + notesARN + `","` + notesARN + `/*"]}]}`)
	snapshots[owner].Buckets[notes] = &b
	snapshots[consumer].Policies["arn:aws:iam::"+consumer+":policy/notes"] = &plan.LivePolicy{
		Name: "notes", ARN: "arn:aws:iam::" + consumer + ":policy/notes",
		Document: []byte(`{"Version":"2012-10-17","Statement":[{"Sid":"Notes","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["` + notesARN + `","` + notesARN + `/*"]}]}`),
	}
	snapshots[consumer].Roles[analyst] = &plan.LiveRole{
		Role: plan.Role{
			Name: analyst, Path: "/team/", ARN: analystARN,
			Trust: json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + consumer + `"},"Action":"sts:AssumeRole"}]}`),
		},
		UniqueID: "AROAANALYST000000001", Attached: []string{"arn:aws:iam::" + consumer + ":policy/notes"},
	}
	return p, repo.Accounts, l
}

func (l live) notes() *plan.LiveBucket { return l.snapshots[owner].Buckets[notes] }

func (l live) analyst() *plan.LiveRole { return l.snapshots[consumer].Roles[analyst] }

func (l live) notesPolicy() *plan.LivePolicy {
	return l.snapshots[consumer].Policies["arn:aws:iam::"+consumer+":policy/notes"]
}

// put adds a statement to a document.
func (l live) put(text *[]byte, add string) {
	l.t.Helper()
	l.edit(text, func(list []iampolicy.Statement) []iampolicy.Statement { return append(list, statement(l.t, add)) })
}

func (l live) boundary(document string) {
	const arn = "arn:aws:iam::" + consumer + ":policy/limit"
	l.analyst().Boundary = arn
	l.snapshots[consumer].Policies[arn] = &plan.LivePolicy{Name: "limit", ARN: arn, Document: []byte(document)}
}

// organization puts an account into one, with a policy on its root that allows
// all and others on the account.
func (l live) organization(account string, scps, rcps []string) {
	full := plan.ControlPolicy{ID: "p-FullAWSAccess", Name: "FullAWSAccess", Target: "r-1", Document: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)}
	level := func(kind string, documents []string) [][]plan.ControlPolicy {
		var own []plan.ControlPolicy
		for i, d := range documents {
			own = append(own, plan.ControlPolicy{ID: fmt.Sprintf("p-%s%d", kind, i), Name: fmt.Sprintf("%s%d", kind, i), Target: account, Document: []byte(d)})
		}
		return [][]plan.ControlPolicy{{full}, own}
	}
	o := &plan.Organization{ID: "o-1", Path: "o-1/r-1/"}
	if scps != nil {
		o.SCPs = level("scp", scps)
	}
	if rcps != nil {
		o.RCPs = level("rcp", rcps)
	}
	l.snapshots[account].Organization = o
}

// encrypt gives the notes' bucket a key, whose policy has these statements, and
// the role permissions on it.
func (l live) encrypt(keyPolicy string, identity bool) {
	l.notes().Encryption = &plan.Encryption{Algorithm: "aws:kms", Key: notesKey}
	l.snapshots[owner].Keys = map[string]*plan.LiveKey{notesKey: {
		ARN: notesKey, State: "Enabled", Policy: []byte(`{"Version":"2012-10-17","Statement":[{"Sid":"Own","Effect":"Allow","Principal":{"AWS":"` + owner + `"},"Action":"kms:*","Resource":"*"}` + keyPolicy + `]}`),
	}}
	if identity {
		l.put(&l.notesPolicy().Document, `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"`+notesKey+`"}`)
	}
}

func ask(t *testing.T, principal, action, resource string, context ...string) proof.Question {
	t.Helper()
	q, err := proof.Ask("aws", principal, action, resource, context)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func rootCodes(e proof.Explanation) []proof.Code {
	var codes []proof.Code
	for _, root := range e.Roots {
		codes = append(codes, root.Code)
	}
	return codes
}

func dumpExplanation(e proof.Explanation) string {
	text, err := json.MarshalIndent(e, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func sameCodes(a, b []proof.Code) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}
