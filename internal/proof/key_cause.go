package proof

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// What keeps a role, or who else is asked about, from the key of a bucket, and
// how to mend it.

func inWords(state string) string {
	switch state {
	case "Disabled":
		return "disabled"
	case "PendingDeletion":
		return "about to be deleted"
	}
	return "in the state " + state
}

// keyWords are how messages call the bucket's key.
func (f *findings) keyWords() string {
	return fmt.Sprintf("key %s, with which bucket %s encrypts,", f.sides.key.key.ID, f.grant.Bucket.Name)
}

func (f *findings) managedKey(action string) string {
	f.add(Cause{
		Code: AWSManagedKey, Account: f.grant.Bucket.Account.ID, Resource: f.bucketARN(),
		Mend: "give the bucket a customer managed key, by its full ARN, as default encryption (or SSE-S3), and copy its objects onto themselves: they keep the key that they were written with",
	}, action, func(actions string) string {
		return fmt.Sprintf("bucket %s of account %s encrypts with AWS's own key aws/s3, which no other account can be let use, so %s", f.grant.Bucket.Name, f.grant.Bucket.Account.ID, fail(actions))
	})
	return "AWS's own key aws/s3 cannot be shared"
}

// anonymousKey tells of a caller without credentials: S3 takes no request for
// what a key of KMS encrypts that is not signed.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
func (f *findings) anonymousKey(action string) string {
	f.add(Cause{
		Code: KMSAnonymous, Account: f.grant.Bucket.Account.ID, Resource: f.bucketARN(),
		Mend: "call with credentials, or give the bucket SSE-S3 as default encryption for what everybody is to have",
	}, action, func(actions string) string {
		return fmt.Sprintf("bucket %s of account %s encrypts with a key of KMS, which nobody uses without credentials, so %s", f.grant.Bucket.Name, f.grant.Bucket.Account.ID, fail(actions))
	})
	return "nobody uses a key of KMS without credentials"
}

func (f *findings) brokenKey(code Code, what, mend, action string) string {
	words := f.keyWords()
	f.add(Cause{Code: code, Account: f.sides.key.key.Owner, Resource: f.sides.key.arn(f.prover.plan.Partition), Mend: mend}, action, func(actions string) string {
		return fmt.Sprintf("%s %s, so %s", words, what, fail(actions))
	})
	return "the key " + what
}

// distantKey tells of a key of another region than the bucket's: S3 does not use
// it for anybody.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
func (f *findings) distantKey(region, action string) string {
	words := f.keyWords()
	f.add(Cause{
		Code: KMSKeyRegion, Account: f.grant.Bucket.Account.ID, Resource: f.bucketARN(),
		Mend: fmt.Sprintf("name a key of %s in the bucket's default encryption, by its full ARN", region),
	}, action, func(actions string) string {
		return fmt.Sprintf("%s is in %s, and the bucket in %s: S3 uses keys of the bucket's region only, so %s", words, f.sides.key.key.Region, region, fail(actions))
	})
	return "the key is in another region than the bucket"
}

// unqualifiedKey tells of a key that S3 looks for where the caller is.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html
func (f *findings) unqualifiedKey(action string) string {
	k := f.sides.key
	mend := "name the key by its full ARN in the bucket's default encryption"
	if k.live != nil && k.live.ARN != "" {
		mend += ": " + k.live.ARN
	}
	f.add(Cause{Code: KMSKeyNotARN, Account: f.grant.Bucket.Account.ID, Resource: f.bucketARN(), Mend: mend}, action, func(string) string {
		return fmt.Sprintf("bucket %s of account %s calls its key %s, which is no ARN: S3 then looks for a key of that name in account %s, where who writes is",
			f.grant.Bucket.Name, f.grant.Bucket.Account.ID, k.key.ID, f.grant.Consumer.Account.ID)
	})
	return "the bucket does not name its key by an ARN, so S3 looks for it in the account of who writes"
}

// keyDenied finds what keeps the role from the key.
func (f *findings) keyDenied(on *sides, req iampolicy.Request, use keyUse, best iampolicy.Decision) string {
	known := on.known(req)
	var why []string
	told := use.action // with what it is for, where nothing else is
	if use.why != "" && !slices.ContainsFunc(calls(f.grant), func(c call) bool {
		return slices.ContainsFunc(keyUses[c.action], func(other keyUse) bool { return other.action == use.action && other.why == "" })
	}) {
		told += " (" + use.why + ")"
	}
	c := call{action: use.action, resource: req.Resource, promised: req.Resource}
	if best.Outcome == iampolicy.ExplicitDeny {
		why = append(why, f.explicitDeny(c, best, f.sides.key.key.Owner, req.Resource))
		best = on.withoutDenies(req, known)
	}
	for _, side := range lackingSides(best) {
		switch side {
		case iampolicy.SideIdentity:
			f.lacks = true
			if f.sides.absent() {
				why = append(why, f.who().the()+" is not there")
				continue
			}
			f.add(Cause{
				Code: KMSIdentityLacks, Account: f.grant.Consumer.Account.ID, Resource: f.grant.RoleARN,
				Mend: "who owns " + f.who().the() + " adds to a policy of it: " + f.keyFragment(false),
			}, told, func(actions string) string {
				return fmt.Sprintf("no policy of %s in account %s allows %s on %s", f.who(), f.grant.Consumer.Account.ID, actions, strings.TrimSuffix(f.keyWords(), ","))
			})
			why = append(why, "no policy of "+f.who().the()+" allows it on the key")
		case iampolicy.SideResource:
			f.add(Cause{
				Code: KMSKeyPolicyLacks, Account: f.sides.key.key.Owner, Resource: req.Resource,
				Mend: f.keyMend(),
			}, told, func(actions string) string {
				return fmt.Sprintf("the policy of %s does not allow %s to %s", f.keyWords(), actions, f.grant.RoleARN)
			})
			why = append(why, "the key's policy does not allow it")
		case iampolicy.SideBoundary:
			why = append(why, f.boundary(c))
		case iampolicy.SideSCP:
			why = append(why, f.serviceControlled(req, c, known))
		}
	}
	if use.why != "" {
		why = append(why, use.why)
	}
	return cmp.Or(strings.Join(why, "; "), string(best.Outcome))
}

// keyFragment is the statement that lets the role use the key for all that the
// grant promises: of the key's policy, or of one of the role's.
func (f *findings) keyFragment(ofKey bool) string { return f.keyStatement(ofKey, f.keySid()) }

func (f *findings) keyStatement(ofKey bool, sid string) string {
	type fragment struct {
		Sid       string `json:",omitempty"`
		Effect    string
		Principal map[string]string `json:",omitempty"`
		Action    any
		Resource  string
		Condition map[string]map[string]string `json:",omitempty"`
	}
	var actions []string
	for _, c := range calls(f.grant) {
		for _, use := range usesOf(c.action, f.question) {
			actions = append(actions, use.action)
		}
	}
	if len(actions) == 0 { // a question, which no grant is about
		actions = []string{kmsDecrypt, kmsGenerate}
	}
	slices.Sort(actions)
	actions = slices.Compact(actions)
	s := fragment{Effect: "Allow", Action: actions, Resource: f.sides.key.arn(f.prover.plan.Partition)}
	if len(actions) == 1 {
		s.Action = actions[0]
	}
	if ofKey {
		s.Sid, s.Resource = sid, "*"
		s.Principal = map[string]string{"AWS": f.grant.RoleARN}
		req := f.prover.keyRequest(f.grant, f.sides.key, iampolicy.Request{}, kmsDecrypt)
		s.Condition = map[string]map[string]string{"StringEquals": {"kms:ViaService": req.Context["kms:ViaService"][0]}}
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(text)
}

func alphanumeric(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, name)
}
