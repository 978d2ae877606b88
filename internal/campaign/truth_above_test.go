package campaign

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// aKey is one of the keys that buckets have; false: none has one.
func (s *scene) aKey() (arn string, ok bool) {
	buckets := slices.Sorted(maps.Keys(s.base.keys))
	if len(buckets) == 0 {
		return "", false
	}
	return s.base.keys[s.draw.one(buckets...)], true
}

func keyRegion(arn string) string { return strings.Split(arn, ":")[3] }

// keyCall is one of KMS about a key, as its account's administrator.
func (s *scene) keyCall(arn, operation string, in map[string]any) answer {
	in["KeyId"] = arn
	return s.object(accountOf(arn), "kms", keyRegion(arn), operation, in)
}

func editKeyPolicy(s *scene) string {
	arn, ok := s.aKey()
	if !ok {
		return ""
	}
	live := s.keyCall(arn, "GetKeyPolicy", map[string]any{"PolicyName": "default"})
	if !live.ok() {
		return ""
	}
	p := policyOf(s.t, live.field("Policy"))
	list := p.statements()
	words := ""
	if at := s.draw.IntN(len(list)); at > 0 && s.draw.chance(2) { // the first is the account's
		p["Statement"] = slices.Delete(slices.Clone(list), at, at+1)
		words = "loses " + textOf(list[at])
	} else {
		statement := s.draw.ofKey()
		p.add(statement)
		s.hinders(statement)
		words = "gets " + textOf(statement)
	}
	if s.tried(s.keyCall(arn, "PutKeyPolicy", map[string]any{"PolicyName": "default", "Policy": p.String()})) {
		s.doubts()
	}
	return fmt.Sprintf("the policy of key %s %s", arn, words)
}

func stopKey(s *scene) string {
	arn, ok := s.aKey()
	if !ok {
		return ""
	}
	if s.draw.chance(2) {
		s.tried(s.keyCall(arn, "DisableKey", map[string]any{}))
		return "key " + arn + " is disabled"
	}
	s.tried(s.keyCall(arn, "ScheduleKeyDeletion", map[string]any{"PendingWindowInDays": 7}))
	return "key " + arn + " is to be deleted"
}

func grantKey(s *scene) string {
	arn, ok := s.aKey()
	if !ok {
		return ""
	}
	in := map[string]any{
		"GranteePrincipal": s.draw.one(reader, bound, own, worker, "arn:aws:iam::"+analytics+":root"),
		"Operations":       s.draw.some("Decrypt", "GenerateDataKey", "Encrypt"),
	}
	if text, ok := in["Operations"].(string); ok {
		in["Operations"] = []string{text}
	}
	if s.draw.chance(3) {
		in["Constraints"] = map[string]any{s.draw.one("EncryptionContextSubset", "EncryptionContextEquals"): map[string]any{
			"aws:s3:arn": s.draw.one("arn:aws:s3:::"+keysBucket, "arn:aws:s3:::"+keysBucket+"/incoming/a.txt"),
		}}
	}
	words := textOf(in)
	if s.tried(s.keyCall(arn, "CreateGrant", in)) {
		s.granted = true
	}
	return "a grant of key " + arn + ": " + words
}

// org is a call of Organizations by who runs it.
func (s *scene) org(operation string, in map[string]any) answer {
	return s.object(management, "organizations", "", operation, in)
}

// attachControl makes a policy of the organization and attaches it.
func (s *scene) attachControl(kind, target, text string) bool {
	s.made++
	created := s.org("CreatePolicy", map[string]any{"Type": kind, "Name": fmt.Sprintf("Control%d", s.made), "Description": "truth", "Content": text})
	return s.tried(created) && s.tried(s.org("AttachPolicy", map[string]any{"PolicyId": created.field("Policy", "PolicySummary", "Id"), "TargetId": target}))
}

func (s *scene) target() string {
	account := s.draw.one(lake, analytics, apps)
	return s.draw.one(account, account, s.base.units[account], s.base.root)
}

func attachServiceControl(s *scene) string {
	if s.base.root == "" {
		return ""
	}
	target, statement := s.target(), s.draw.ofIdentity()
	statement["Effect"] = "Deny"
	if s.attachControl(scpType, target, newPolicy(statement).String()) {
		s.hinders(statement)
		s.doubts()
	}
	return fmt.Sprintf("a service control policy on %s: %s", target, textOf(statement))
}

// allowListControl has a unit's service control policies be a list of what is
// allowed.
func allowListControl(s *scene) string {
	if s.base.root == "" {
		return ""
	}
	account := s.draw.one(lake, analytics, apps)
	unit := s.base.units[account]
	statement := map[string]any{"Effect": "Allow", "Resource": "*", "Action": append([]string{
		"iam:*", "sts:*", "ec2:*", "tag:*", "organizations:*", "s3:Get*", "s3:List*",
	}, s.draw.one("s3:*", "s3:PutObject", "kms:*", "kms:Decrypt"))}
	if s.attachControl(scpType, unit, newPolicy(statement).String()) {
		s.tried(s.org("DetachPolicy", map[string]any{"PolicyId": "p-FullAWSAccess", "TargetId": unit}))
		s.mayBeUnread = true
	}
	return fmt.Sprintf("the service control policies on %s, of account %s, are %s", unit, account, textOf(statement))
}

func attachResourceControl(s *scene) string {
	if s.base.root == "" {
		return ""
	}
	if s.draw.chance(6) {
		account := s.draw.one(analytics, lake)
		statement := map[string]any{
			"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*",
			"Condition": map[string]any{"Bool": map[string]any{"aws:PrincipalIsAWSService": "true"}},
		}
		if s.attachControl(rcpType, account, newPolicy(statement).String()) {
			s.barred[account] = true
		}
		return fmt.Sprintf("a resource control policy on %s: %s", account, textOf(statement))
	}
	target, statement := s.target(), s.draw.ofResources()
	if s.attachControl(rcpType, target, newPolicy(statement).String()) {
		s.hinders(statement)
		s.doubts()
	}
	return fmt.Sprintf("a resource control policy on %s: %s", target, textOf(statement))
}

func leaveOrganization(s *scene) string {
	if s.base.root == "" {
		return ""
	}
	account := s.draw.one(lake, analytics, apps)
	if s.tried(s.org("RemoveAccountFromOrganization", map[string]any{"AccountId": account})) {
		delete(s.barred, account)
	}
	return "account " + account + " leaves the organization"
}
