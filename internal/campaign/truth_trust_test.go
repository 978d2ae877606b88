package campaign

import (
	"fmt"
	"net/http"
	"strings"
)

// onTrust are conditions of trust policies: those that are known of everybody,
// and those that only a call decides, whatever a service says of itself.
var (
	onTrust = []string{
		`"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`, `"DateLessThan":{"aws:CurrentTime":"2020-01-01"}`,
		`"DateLessThan":{"aws:CurrentTime":"2035-01-01T00:00:00Z"}`, `"NumericGreaterThan":{"aws:EpochTime":"1577836800"}`,
		`"StringEquals":{"aws:ResourceAccount":"` + analytics + `"}`, `"StringNotEquals":{"aws:ResourceAccount":["` + analytics + `","` + lake + `"]}`,
		`"Bool":{"aws:SecureTransport":"true"}`, `"Bool":{"aws:SecureTransport":false}`, `"Bool":{"aws:PrincipalIsAWSService":"true"}`,
		`"StringEquals":{"aws:ResourceAccount":"${aws:ResourceAccount}"}`,
	}
	onlyCallsOnTrust = []string{
		`"StringEquals":{"aws:RequestedRegion":"us-east-1"}`, `"StringNotEquals":{"aws:RequestedRegion":"us-east-1"}`,
		`"ArnLike":{"aws:SourceArn":"arn:aws:ec2:*"}`, `"StringEquals":{"aws:SourceAccount":"` + analytics + `"}`,
		`"StringEquals":{"sts:ExternalId":"abc"}`, `"StringNotEquals":{"sts:ExternalId":"abc"}`, `"StringLike":{"sts:RoleSessionName":"i-*"}`,
		`"StringEquals":{"aws:ResourceTag/team":"analytics"}`, `"StringNotEquals":{"iam:ResourceTag/team":"analytics"}`,
		`"DateLessThan":{"aws:CurrentTime":"2026-11-24T18:00:00Z"}`, `"DateGreaterThan":{"aws:CurrentTime":"2026-11-24T11:00:00Z"}`,
		`"Bool":{"aws:MultiFactorAuthPresent":"true"}`,
	}
)

// conditionTrust has a role trusted as it is to be, but on a condition, or
// denied to all on one.
func conditionTrust(s *scene) string {
	role := s.role()
	principal := `{"Service":"` + serviceOf[role] + `.amazonaws.com"}`
	if role == bound {
		principal = s.draw.one(`{"AWS":"`+apps+`","Service":"ecs-tasks.amazonaws.com"}`, `{"AWS":"`+apps+`"}`, `{"AWS":"`+apps+`"}`, `{"AWS":"`+bound+`"}`, `"*"`)
	}
	condition, only := s.draw.one(onTrust...), s.draw.chance(3)
	if only {
		condition = s.draw.one(onlyCallsOnTrust...)
	}
	statement := `{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"`
	if s.draw.chance(2) {
		statement += `,"Condition":{` + condition + `}}`
	} else {
		statement += `},{"Effect":"Deny","Principal":` + s.draw.one(`"*"`, `{"AWS":"*"}`, principal) + `,"Action":"` + s.draw.one("sts:AssumeRole", "sts:*", "sts:TagSession") + `","Condition":{` + condition + `}}`
	}
	text := `{"Version":"2012-10-17","Statement":[` + statement + `]}`
	if s.tried(s.iamOf(role, "UpdateAssumeRolePolicy", "PolicyDocument", text)) && only {
		s.unknown = true
		s.meant = s.meant || role == bound
	}
	return role + " is trusted by " + text
}

// serviceOf are the services that roles are for.
var serviceOf = map[string]string{reader: "lambda", own: "lambda", worker: "ec2", bound: "ecs-tasks"}

// controlTrust has a service control policy keep an account from roles.
func controlTrust(s *scene) string {
	if s.base.root == "" {
		return ""
	}
	statement := map[string]any{"Effect": "Deny", "Action": s.draw.one("sts:AssumeRole", "sts:*", "sts:TagSession"), "Resource": s.draw.one("*", bound)}
	switch s.draw.IntN(4) {
	case 0:
		statement["Condition"] = map[string]any{"DateGreaterThan": map[string]any{"aws:CurrentTime": s.draw.one("2020-01-01", "2035-01-01")}}
	case 1:
		statement["Condition"] = map[string]any{"StringNotEquals": map[string]any{"aws:PrincipalAccount": s.draw.one(apps, lake)}}
	}
	if s.attachControl(scpType, apps, newPolicy(statement).String()) {
		s.mayBeUnread = true
	}
	words := fmt.Sprintf("a service control policy on %s: %s", apps, textOf(statement))
	if s.draw.chance(2) {
		text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + apps + `"},"Action":"sts:AssumeRole"}]}`
		s.tried(s.iamOf(bound, "UpdateAssumeRolePolicy", "PolicyDocument", text))
		words += "; " + bound + " is trusted by that account alone"
	}
	return words
}

// awsKey has a bucket encrypt with AWS's own key, and keeps a role of its
// account from keys.
func awsKey(s *scene) string {
	bucket, role := dataBucket, own
	if s.draw.chance(3) {
		bucket, role = farBucket, bound
	}
	if s.tried(s.encryptBy(bucket, "aws:kms", "", s.draw.chance(2))) {
		s.restore()
	}
	statement := map[string]any{
		"Effect": "Deny", "Action": s.draw.some("kms:Decrypt", "kms:GenerateDataKey*", "kms:*"),
		"Resource": s.draw.one("*", "*", "arn:aws:kms:*:"+accountOf(role)+":key/*", "arn:aws:kms:*:"+analytics+":key/*"),
	}
	if s.draw.chance(3) {
		s.draw.condition(statement, s.draw.onKeys())
	}
	words := fmt.Sprintf("%s encrypts by aws/s3, and %s is denied %s", bucket, role, textOf(statement))
	taken := false
	if s.base.root != "" && s.draw.chance(2) {
		words += ", by a service control policy"
		if taken = s.attachControl(scpType, accountOf(role), newPolicy(statement).String()); taken {
			s.mayBeUnread = true
		}
	} else {
		taken = s.tried(s.iamOf(role, "PutRolePolicy", "PolicyName", "keys", "PolicyDocument", newPolicy(statement).String()))
	}
	if taken {
		s.doubts()
	}
	return words
}

// oneAlias has buckets of two accounts and regions call their keys by one alias,
// and shuts one of the keys.
func oneAlias(s *scene) string {
	const alias = "alias/both"
	keys := map[string]string{}
	for _, bucket := range []string{keysBucket, farBucket} {
		account, region := ownerOf[bucket], regionOf[bucket]
		made := s.object(account, "kms", region, "CreateKey", map[string]any{})
		if !s.tried(made) {
			return ""
		}
		keys[bucket] = made.field("KeyMetadata", "Arn")
		s.tried(s.object(account, "kms", region, "CreateAlias", map[string]any{"AliasName": alias, "TargetKeyId": nameOf(keys[bucket])}))
	}
	shut := s.draw.one(keysBucket, farBucket)
	for bucket, arn := range keys {
		owner := ownerOf[bucket]
		role := map[string]string{keysBucket: own, farBucket: bound}[bucket]
		p := newPolicy(map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": []string{"arn:aws:iam::" + owner + ":root", role}}, "Action": "kms:*", "Resource": "*"})
		if bucket == shut {
			p.add(map[string]any{"Effect": "Deny", "Principal": map[string]any{"AWS": role}, "Action": "kms:Decrypt", "Resource": "*"})
		}
		s.tried(s.object(owner, "kms", regionOf[bucket], "PutKeyPolicy", map[string]any{"KeyId": arn, "PolicyName": "default", "Policy": p.String()}))
		s.tried(s.encryptBy(bucket, "aws:kms", alias, false))
	}
	s.restore()
	return fmt.Sprintf("%s and %s call their keys %s; that of %s is shut", keysBucket, farBucket, alias, shut)
}

// onlySession puts one session of a role where a bucket's policy names the role.
func onlySession(s *scene) string {
	bucket, role := s.bucket(), s.role()
	a := s.s3(admin(ownerOf[bucket]), http.MethodGet, bucket+"?policy", "")
	session := "arn:aws:sts::" + accountOf(role) + ":assumed-role/" + nameOf(role) + "/" + s.draw.one("xshare-proof", "any", "alice")
	text := strings.ReplaceAll(a.text, `"`+role+`"`, `"`+session+`"`)
	if !a.ok() || text == a.text {
		return ""
	}
	if s.tried(s.s3(admin(ownerOf[bucket]), http.MethodPut, bucket+"?policy", text)) {
		s.session = true
	}
	return fmt.Sprintf("%s's policy names %s in place of its role", bucket, session)
}
