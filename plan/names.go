package plan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/specs"
)

// RoleARN is the ARN of a role; path has slashes at both ends.
func RoleARN(partition, account, path, name string) string {
	return "arn:" + partition + ":iam::" + account + ":role" + path + name
}

// BucketARN is the ARN of a bucket.
func BucketARN(partition, bucket string) string { return "arn:" + partition + ":s3:::" + bucket }

// policyARN is the ARN of a customer managed policy given by name; an ARN, or
// nothing, stays as it is.
func policyARN(partition, account, name string) string {
	if name == "" || strings.HasPrefix(name, "arn:") {
		return name
	}
	return "arn:" + partition + ":iam::" + account + ":policy/" + name
}

// policyName is the name of a role's nth permissions policy. The default holds
// repository and role; "." and "+" cannot be in a repository's name, so no two
// pairs of them share a name, and a policy that is split keeps its first name.
func policyName(repository, role, stated string, n int) string {
	nth := ""
	if n > 1 {
		nth = "+" + strconv.Itoa(n)
	}
	if stated != "" {
		return stated + nth
	}
	return fmt.Sprintf("xshare.%s%s.%s", repository, nth, role)
}

// StatedPolicyName is the policyName by which a spec gives a permissions policy
// this name, whichever of those it is that it was split into; empty: it has the
// form of the names by default of these repositories.
func StatedPolicyName(repositories []string, name string) string {
	for _, repository := range repositories {
		if rest, ok := strings.CutPrefix(name, "xshare."+repository); ok {
			if nth, _, ok := strings.Cut(rest, "."); ok && (nth == "" || isNth(nth)) {
				return ""
			}
		}
	}
	if at := strings.LastIndexByte(name, '+'); at > 0 && isNth(name[at:]) {
		return name[:at]
	}
	return name
}

// isNth reports whether text is what policyName tells the nth policy by.
func isNth(text string) bool {
	n, err := strconv.Atoi(strings.TrimPrefix(text, "+"))
	return err == nil && n > 1 && text == "+"+strconv.Itoa(n)
}

// consumerName is how parts and people name a consumer: account/role.
func consumerName(c *specs.Consumer) string { return c.Account.ID + "/" + c.Role.Name }

// consumerOf is the consumer name of a role's ARN; another principal stays as
// it is.
func consumerOf(principal string) string {
	a := iampolicy.CutARN(principal)
	if !strings.HasPrefix(a.Resource, "role/") {
		return principal
	}
	return a.Account + "/" + a.Resource[strings.LastIndex(a.Resource, "/")+1:]
}

// TrustPolicy is the trust policy that the spec states for a role that xshare
// creates.
func TrustPolicy(r specs.Role) []byte {
	if r.TrustPolicy != nil {
		return r.TrustPolicy
	}
	return iampolicy.Marshal(&iampolicy.Document{
		Version: iampolicy.Version2012,
		Statements: []iampolicy.Statement{{
			Effect:    iampolicy.Allow,
			Principal: &iampolicy.Principals{Service: []string{r.TrustService}},
			Action:    []string{"sts:AssumeRole"},
		}},
	})
}
