package campaign

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
)

// access is one that explain is asked about.
type access struct {
	principal string
	wish
	context []string
}

func (q access) String() string {
	return fmt.Sprintf("explain of %s, %s, context %q", q.principal, q.wish, q.context)
}

const adminOfLake = "arn:aws:iam::" + lake + ":user/admin"

// drawAccess is an access that a share may grant, or nobody.
func (s *scene) drawAccess() access {
	d := s.draw
	q := access{wish: wish{bucket: s.bucket(), plain: true, action: d.one(
		"s3:GetObject", "s3:GetObject", "s3:PutObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:ListBucket", "s3:GetBucketLocation",
		"s3:AbortMultipartUpload", "s3:ListBucketMultipartUploads", "s3:GetObjectTagging", "s3:GetBucketPolicy", "s3:GetEncryptionConfiguration", "s3:GetBucketTagging",
	)}}
	if strings.Contains(q.action, "Object") || strings.HasPrefix(q.action, "s3:Abort") {
		q.key = pick(d.Rand, truthKeys)
	}
	role := d.one(append([]string{stranger, deployer}, shareRoles...)...)
	switch d.IntN(10) {
	case 0, 1:
		q.principal = "arn:aws:sts::" + accountOf(role) + ":assumed-role/" + nameOf(role) + "/" + d.one(sessionNames...)
	case 2, 3:
		q.principal = d.one(ann, ann, bob)
	case 4:
		q.principal = adminOfLake
	case 5:
		q.principal = "anonymous"
	default:
		q.principal = role
	}
	if q.action == "s3:ListBucket" && d.chance(2) {
		q.prefix, q.listed = d.one("incoming/", "incoming/secret/", "team/a/b", "secret"), true
		q.context = append(q.context, "s3:prefix="+q.prefix)
	}
	if d.chance(2) {
		q.context = append(q.context, callContext...)
		if q.principal != "anonymous" {
			q.context = append(q.context, "s3:signatureversion=AWS4-HMAC-SHA256")
		}
	}
	return q
}

// callContext is what the calls of these tests have of all that is not known
// before.
var callContext = []string{
	"aws:SourceIp=192.0.2.1", "aws:SourceVpce=", "aws:CurrentTime=2026-11-24T12:01:00Z", "s3:max-keys=", "s3:delimiter=", "s3:x-amz-acl=", "s3:x-amz-server-side-encryption=",
}

// explain asks as the command does.
func (s *scene) explain(q access) proof.Explanation {
	resource := "arn:aws:s3:::" + q.bucket
	if q.key != "" {
		resource += "/" + q.key
	}
	repo := s.base.repo
	asked, err := proof.Ask("aws", q.principal, q.action, resource, q.context)
	if err != nil {
		s.t.Fatal(err)
	}
	concerns := map[string]bool{}
	for _, share := range repo.Shares {
		concerns[share.Name] = asked.Concerns(share)
	}
	p, _ := plan.Build(repo, func(name string) bool { return concerns[name] })
	return proof.Explain(p, repo.Accounts, s.snapshots(p, asked.Wants(p, repo.Accounts), asked.Caller(repo.Accounts)), asked)
}

// callersOf are who may make the calls that are asked about.
func (s *scene) callersOf(principal string) map[string]signer {
	switch {
	case principal == "anonymous":
		return map[string]signer{"": {}}
	case principal == adminOfLake:
		return map[string]signer{"": admin(lake)}
	case s.users[principal].key != "":
		return map[string]signer{"": s.users[principal]}
	case strings.Contains(principal, ":assumed-role/"):
		parts := strings.Split(principal, "/")
		for _, role := range append([]string{stranger, deployer}, shareRoles...) {
			if nameOf(role) == parts[1] && accountOf(role) == accountOf(principal) {
				if by, ok := s.signerOf(role, parts[2]); ok {
					return map[string]signer{parts[2]: by}
				}
			}
		}
		return nil
	}
	return s.callers(principal)
}

// judgeAccess holds explain to what happens, and returns what it says.
func (s *scene) judgeAccess(q access) proof.Explanation {
	e := s.explain(q)
	s.tally.questions[e.Verdict]++
	if e.Verdict == proof.NotChecked {
		s.uncertain(q.String(), e.NotChecked)
	}
	callers := s.callersOf(q.principal)
	failed, tried := s.tryAll(e.Verdict, callers, []wish{q.wish})
	switch {
	case e.Verdict == proof.Allowed && callers == nil:
		s.fault("%s: allowed, and nobody can have the role", q)
	case e.Verdict == proof.Allowed && failed != "":
		s.fault("%s: allowed, and %s", q, failed)
	case e.Verdict == proof.Denied && callers != nil && failed == "" && tried && !s.isIdle(q.principal):
		s.fault("%s: denied, and it works; it says:\n    %s", q, causesOf(causesIn(e.Roots)))
	case e.Verdict == proof.Denied && len(e.Roots) == 0:
		s.fault("%s: denied, without a cause", q)
	}
	s.restore()
	return e
}

func causesIn(roots []proof.Root) []proof.Cause {
	var list []proof.Cause
	for _, r := range roots {
		list = append(list, r.Cause)
	}
	return list
}

// askAround asks about a few accesses, and mends what is denied of one.
func (s *scene) askAround() {
	for range 2 {
		q := s.drawAccess()
		e := s.judgeAccess(q)
		if e.Verdict == proof.Denied && s.draw.chance(2) {
			s.mendAccess(q, e)
		}
	}
}

// mendAccess does what explain says, until it is allowed or nothing is left
// that can be done.
func (s *scene) mendAccess(q access, e proof.Explanation) {
	for range mendRounds {
		before := causesOf(causesIn(e.Roots))
		if !s.mend(q.String(), q.principal, q.bucket, e.Roots) {
			return
		}
		e = s.judgeAccess(q)
		if e.Verdict != proof.Denied {
			s.tally.mends["of an access: helped"]++
			return
		}
		if causesOf(causesIn(e.Roots)) == before {
			s.fault("%s: what it says to do does not help; it still says\n    %s", q, before)
			return
		}
	}
	s.fault("%s: denied, after so many mends as %d; it says\n    %s", q, mendRounds, causesOf(causesIn(e.Roots)))
}

// mendGrants does what explain says about each grant that is denied, until none
// is, or nothing is left that can be done.
func (s *scene) mendGrants(v *verified) {
	left := map[string]bool{} // grants with which nothing more can be done
	said := map[string]string{}
	for range mendRounds * 4 {
		i := slices.IndexFunc(v.proofs, func(p proof.GrantProof) bool { return p.Verdict == proof.Denied && !left[p.Share+p.RoleARN] })
		if i < 0 {
			return
		}
		p := v.proofs[i]
		what := fmt.Sprintf("explain of %s to %s", p.Share, p.RoleARN)
		list := proof.ExplainShare(v.plan, v.snapshots, p.Share)
		e := list[slices.IndexFunc(list, func(e proof.Explanation) bool { return e.Principal == p.RoleARN })]
		if e.Verdict != p.Verdict {
			s.fault("%s: %s, and verify says %s", what, e.Verdict, p.Verdict)
		}
		causes := causesOf(causesIn(e.Roots))
		if said[what] == causes {
			s.fault("%s: what it says to do does not help; it still says\n    %s", what, causes)
			return
		}
		said[what] = causes
		if !s.mend(what, p.RoleARN, p.Bucket, e.Roots) {
			left[p.Share+p.RoleARN] = true
			continue
		}
		v = s.verify()
		s.judge(v)
		if now := v.proofs[i]; now.Verdict != proof.Denied {
			s.tally.mends["of a grant: helped"]++
		}
	}
	s.fault("grants are denied after so many mends as %d", mendRounds*4)
}

const mendRounds = 5
