package campaign

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// mutation is one thing that somebody does beside xshare. It says in words what
// it did; empty: there was nothing to do it to.
type mutation func(*scene) string

// mutations are all there are, some more than once as they are likelier.
var mutations = slices.Concat(
	slices.Repeat([]mutation{addToBucketPolicy}, 8),
	slices.Repeat([]mutation{editBucketPolicy}, 6),
	slices.Repeat([]mutation{denyByText}, 4),
	[]mutation{removeFromBucketPolicy, removeFromBucketPolicy, publicStatement, publicStatement},
	[]mutation{blockBucket, blockAccount, setOwnership, encryptOtherwise, encryptOtherwise},
	slices.Repeat([]mutation{editKeyPolicy}, 4),
	[]mutation{stopKey, grantKey, grantKey},
	slices.Repeat([]mutation{putInline}, 5),
	slices.Repeat([]mutation{newVersion}, 3),
	[]mutation{detach, otherVersion, dropInline, attachAWSs, tagRole},
	[]mutation{putBoundary, putBoundary, dropBoundary},
	slices.Repeat([]mutation{editTrust}, 3),
	[]mutation{remakeRole, changeProfile, changeProfile},
	slices.Repeat([]mutation{attachServiceControl, attachResourceControl}, 2),
	[]mutation{allowListControl, leaveOrganization, editUser, editUser},
	slices.Repeat([]mutation{conditionTrust, controlTrust, awsKey}, 2),
	[]mutation{oneAlias, onlySession},
)

// tried does a call that AWS may refuse, and reports whether it was taken.
func (s *scene) tried(a answer) bool {
	if !a.ok() {
		s.refused++
		s.note("  refused: %d %s", a.status, a.code())
	}
	return a.ok()
}

func (s *scene) bucket() string { return s.draw.one(truthBuckets...) }

func (s *scene) role() string { return s.draw.one(shareRoles...) }

// hinders notes that a statement may keep xshare from reading what it needs.
func (s *scene) hinders(statement map[string]any) {
	if statement["Effect"] != "Deny" {
		return
	}
	text := strings.ToLower(textOf(statement["Action"]))
	if statement["NotAction"] != nil || strings.Contains(text, "*") || strings.Contains(text, "listbucket") {
		s.mayBeUnread = true
	}
}

// doubts takes over what the drawn statements make doubtful.
func (s *scene) doubts() {
	s.unknown = s.unknown || s.draw.unknown
	s.session = s.session || s.draw.session
}

func addToBucketPolicy(s *scene) string {
	bucket := s.bucket()
	p := s.livePolicy(bucket)
	statement := s.draw.ofBucket(bucket)
	p.add(statement)
	if s.draw.chance(12) {
		p["Version"] = "2008-10-17" // in which ${…} is plain text
	}
	if s.tried(s.putPolicy(bucket, p)) {
		s.hinders(statement)
		s.doubts()
	}
	return fmt.Sprintf("%s's policy (Version %s) gets %s", bucket, p["Version"], textOf(statement))
}

// livePolicy is a bucket's policy to be edited, an empty one where there is none
// or it cannot be read.
func (s *scene) livePolicy(bucket string) policy {
	a := s.s3(admin(ownerOf[bucket]), http.MethodGet, bucket+"?policy", "")
	if !a.ok() {
		return newPolicy()
	}
	return policyOf(s.t, a.text)
}

func (s *scene) putPolicy(bucket string, p policy) answer {
	if len(p.statements()) == 0 {
		return s.s3(admin(ownerOf[bucket]), http.MethodDelete, bucket+"?policy", "")
	}
	return s.s3(admin(ownerOf[bucket]), http.MethodPut, bucket+"?policy", p.String())
}

func editBucketPolicy(s *scene) string {
	bucket := s.bucket()
	p := s.livePolicy(bucket)
	if len(p.statements()) == 0 {
		return ""
	}
	at := s.draw.IntN(len(p.statements()))
	statement := p.statements()[at].(map[string]any)
	before := textOf(statement)
	s.edit(statement, bucket, true)
	if s.tried(s.putPolicy(bucket, p)) {
		s.hinders(statement)
		s.doubts()
	}
	return fmt.Sprintf("%s's policy has %s\n    in place of %s", bucket, textOf(statement), before)
}

// edit changes one thing in a statement.
func (s *scene) edit(statement map[string]any, bucket string, ofBucket bool) {
	d := s.draw
	other := map[string]any{"Effect": statement["Effect"]}
	replace := func(members ...string) {
		for _, m := range members {
			delete(statement, m)
			if v, ok := other[m]; ok {
				statement[m] = v
			}
		}
	}
	switch d.IntN(6) {
	case 0:
		if ofBucket {
			d.principals(other)
			replace("Principal", "NotPrincipal")
			return
		}
		statement["Effect"] = d.effect()
	case 1:
		d.actions(other)
		replace("Action", "NotAction")
	case 2:
		d.resources(other, bucket)
		replace("Resource", "NotResource")
	case 3:
		d.condition(other, d.conditions())
		replace("Condition")
	case 4: // only the bucket, only objects, or one of several
		if list, ok := statement["Resource"].([]any); ok {
			statement["Resource"] = list[d.IntN(len(list))]
		}
	default:
		if list, ok := statement["Action"].([]any); ok {
			statement["Action"] = slices.Delete(slices.Clone(list), 0, 1)
		}
	}
}

func removeFromBucketPolicy(s *scene) string {
	bucket := s.bucket()
	p := s.livePolicy(bucket)
	list := p.statements()
	if len(list) == 0 {
		return ""
	}
	at := s.draw.IntN(len(list))
	p["Statement"] = slices.Delete(slices.Clone(list), at, at+1)
	s.tried(s.putPolicy(bucket, p))
	return fmt.Sprintf("%s's policy loses %s", bucket, textOf(list[at]))
}

func blockXML(restrict, refuse bool) string {
	return fmt.Sprintf("<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>%t</BlockPublicPolicy><RestrictPublicBuckets>%t</RestrictPublicBuckets></PublicAccessBlockConfiguration>", refuse, restrict)
}

func publicStatement(s *scene) string {
	bucket := s.bucket()
	by := admin(ownerOf[bucket])
	s.tried(s.s3(by, http.MethodPut, bucket+"?publicAccessBlock", blockXML(false, false)))
	statement := map[string]any{
		"Sid": "Website", "Effect": "Allow", "Principal": "*", "Action": s.draw.one("s3:GetObject", "s3:ListBucket"),
		"Resource": []string{"arn:aws:s3:::" + bucket, "arn:aws:s3:::" + bucket + s.draw.one("/*", "/incoming/*")},
	}
	if s.draw.chance(3) {
		s.draw.condition(statement, s.draw.conditions())
	}
	p := s.livePolicy(bucket)
	p.add(statement)
	if s.tried(s.putPolicy(bucket, p)) {
		s.doubts()
	}
	restrict := s.draw.chance(2)
	s.tried(s.s3(by, http.MethodPut, bucket+"?publicAccessBlock", blockXML(restrict, restrict)))
	return fmt.Sprintf("%s's policy gets %s; RestrictPublicBuckets is %t", bucket, textOf(statement), restrict)
}

func blockBucket(s *scene) string {
	bucket := s.bucket()
	if s.draw.chance(2) {
		s.tried(s.s3(admin(ownerOf[bucket]), http.MethodDelete, bucket+"?publicAccessBlock", ""))
		return bucket + " loses its Block Public Access"
	}
	restrict := s.draw.chance(2)
	s.tried(s.s3(admin(ownerOf[bucket]), http.MethodPut, bucket+"?publicAccessBlock", blockXML(restrict, false)))
	return fmt.Sprintf("Block Public Access of %s: RestrictPublicBuckets is %t", bucket, restrict)
}

func blockAccount(s *scene) string {
	account := s.draw.one(lake, apps)
	restrict := s.draw.chance(2)
	s.tried(s.send(sent{
		by: admin(account), service: "s3", method: http.MethodPut, path: "/v20180820/configuration/publicAccessBlock",
		account: account, body: blockXML(restrict, false),
	}))
	return fmt.Sprintf("Block Public Access of account %s: RestrictPublicBuckets is %t", account, restrict)
}

func setOwnership(s *scene) string {
	bucket, to := s.bucket(), s.draw.one("BucketOwnerPreferred", "ObjectWriter")
	if s.tried(s.s3(admin(ownerOf[bucket]), http.MethodPut, bucket+"?ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>"+to+"</ObjectOwnership></Rule></OwnershipControls>")) {
		s.unowned = true
	}
	return bucket + "'s Object Ownership is " + to
}

func encryptOtherwise(s *scene) string {
	bucket := s.bucket()
	algorithm, key := "aws:kms", s.base.keys[bucket]
	switch s.draw.IntN(7) {
	case 0:
		algorithm, key = "AES256", ""
	case 1:
		key = "" // aws/s3
	case 2:
		key = s.base.spare
	case 3:
		key = "arn:aws:kms:" + regionOf[bucket] + ":" + ownerOf[bucket] + ":key/12345678-1234-1234-1234-123456789012"
	case 4: // without an ARN
		if key == "" {
			key = s.base.spare
		}
		key = nameOf(key)
	case 5:
		alias := "alias/truth"
		account := ownerOf[bucket]
		target := key
		if target == "" || accountOf(target) != account {
			target = s.base.spare
		}
		if accountOf(target) != account {
			return ""
		}
		s.tried(s.object(account, "kms", regionOf[bucket], "CreateAlias", map[string]any{"AliasName": alias, "TargetKeyId": nameOf(target)}))
		key = s.draw.one(alias, "arn:aws:kms:"+regionOf[bucket]+":"+account+":"+alias)
	}
	if algorithm == "aws:kms" && key == "" && s.draw.chance(2) {
		key = s.base.spare
	}
	bucketKey := s.draw.chance(2)
	if s.tried(s.encryptBy(bucket, algorithm, key, bucketKey)) {
		s.restore()
	}
	return fmt.Sprintf("%s encrypts by %s %s, bucket key %t", bucket, algorithm, key, bucketKey)
}
