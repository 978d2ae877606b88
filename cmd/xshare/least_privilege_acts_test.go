package main

import (
	"encoding/json"

	"github.com/xshare/xshare/internal/sandbox"
)

// act is a command of the scenario.
type act struct {
	name   string
	files  map[string]string // of the repository, written first
	gone   []string          // files removed first
	hand   func(hand)        // what somebody did by hand before
	faults []sandbox.Fault
	args   []string
	code   int                 // exit code with the documented policies
	needs  map[string][]string // role -> permissions that the act is the proof of
}

const (
	lakeID      = "111111111111"
	analyticsID = "222222222222"
	givenID     = "i-0123456789abcdef0"
)

// scenario is a repository's life. Its acts together need all that is
// documented.
var scenario = []act{
	{
		name: "plan of what is not there yet",
		files: map[string]string{
			"xshare.yaml": leastRepository, "shares/ants.yaml": antsShare, "shares/events.yaml": eventsShare("read"),
			"shares/inbox.yaml": inboxShare, "shares/old.yaml": oldShare,
		},
		args: []string{"plan"},
		needs: map[string][]string{"xshare-reader": {
			"Search ec2:DescribeInstances", "Search iam:GetAccountAuthorizationDetails", "Search iam:ListInstanceProfiles",
			"Search s3:ListAllMyBuckets", "Buckets s3:GetBucketPolicy",
		}},
	},
	{
		name: "apply that creates",
		args: []string{"apply", "--yes"},
		needs: map[string][]string{"xshare-deployer": {
			"LockAndLastCommit s3:GetObject *.lock", "LockAndLastCommit s3:PutObject *.lock", "Unlock s3:DeleteObject",
			"LockAndLastCommit s3:GetObject *.applied", "LockAndLastCommit s3:PutObject *.applied",
			"Search ec2:DescribeInstances", "Search iam:GetAccountAuthorizationDetails", "Search iam:ListInstanceProfiles",
			"Search s3:ListAllMyBuckets", "Buckets s3:GetBucketPolicy",
			"Buckets s3:CreateBucket", "Buckets s3:TagResource", "Buckets s3:GetBucketTagging", "Buckets s3:GetBucketPublicAccessBlock",
			"Buckets s3:GetBucketOwnershipControls", "Buckets s3:GetEncryptionConfiguration", "Buckets s3:PutBucketPolicy",
			"Roles iam:CreateRole", "Roles iam:TagRole", "Policies iam:CreatePolicy", "Policies iam:TagPolicy", "Roles iam:AttachRolePolicy",
			"InstanceProfiles iam:CreateInstanceProfile", "InstanceProfiles iam:TagInstanceProfile",
			"InstanceProfiles iam:AddRoleToInstanceProfile", "GiveInstancesTheirRole iam:PassRole",
			"Search ec2:DescribeImages", "Instances ec2:RunInstances", "Instances ec2:CreateTags",
			"Search ec2:DescribeIamInstanceProfileAssociations", "Instances ec2:AssociateIamInstanceProfile",
		}},
	},
	{
		name:  "probe of a reader of a bucket and a writer under a prefix",
		args:  []string{"verify", "--probe", "--strict", "--only", "events", "--only", "inbox"},
		needs: map[string][]string{"xshare-deployer": {"ProbeObjects s3:PutObject", "ProbeObjects s3:DeleteObject"}},
	},
	{
		name: "drift after changes by hand",
		hand: func(h hand) {
			h.query(analyticsID, "iam", "UpdateAssumeRolePolicy", "RoleName", "reader", "PolicyDocument", otherTrust)
			h.query(analyticsID, "iam", "DeleteRolePermissionsBoundary", "RoleName", "reader")
			h.query(analyticsID, "iam", "UntagRole", "RoleName", "ants", "TagKeys.member.1", "xshare:share")
			h.query(analyticsID, "iam", "RemoveRoleFromInstanceProfile", "InstanceProfileName", "reader", "RoleName", "reader")
			h.query(analyticsID, "iam", "CreatePolicyVersion", "PolicyArn", "arn:aws:iam::"+analyticsID+":policy/xshare.acme.ants", "SetAsDefault", "true", "PolicyDocument", minePolicy)
		},
		args:  []string{"drift"},
		code:  exitDifferences,
		needs: map[string][]string{"xshare-reader": {"Search tag:GetResources", "InstanceProfiles iam:GetInstanceProfile", "Policies iam:GetPolicy"}},
	},
	{
		name: "apply that mends them",
		args: []string{"apply", "--yes"},
		needs: map[string][]string{"xshare-deployer": {
			"Roles iam:UpdateAssumeRolePolicy", "Roles iam:PutRolePermissionsBoundary", "InstanceProfiles iam:GetInstanceProfile",
		}},
	},
	{
		name:  "apply that changes a policy that has all its five versions",
		files: map[string]string{"shares/events.yaml": eventsShare("[read, delete]")},
		hand: func(h hand) {
			for range 4 {
				h.query(analyticsID, "iam", "CreatePolicyVersion", "PolicyArn", "arn:aws:iam::"+analyticsID+":policy/xshare.acme.reader", "PolicyDocument", minePolicy)
			}
		},
		args: []string{"apply", "--yes"},
		needs: map[string][]string{"xshare-deployer": {
			"Policies iam:GetPolicy", "Policies iam:ListPolicyVersions", "Policies iam:DeletePolicyVersion", "Policies iam:CreatePolicyVersion",
		}},
	},
	{
		name:   "apply that hears no answer to what it creates",
		files:  map[string]string{"shares/wasps.yaml": waspsShare},
		faults: []sandbox.Fault{{Service: "iam", Operation: "CreatePolicy", Kind: "lostResponse", Nth: 1}},
		args:   []string{"apply", "--yes"},
		needs:  map[string][]string{"xshare-deployer": {"Policies iam:GetPolicyVersion"}},
	},
	{
		name:  "plan of what is to be taken over, and with a public statement of somebody else's",
		files: map[string]string{"shares/bees.yaml": beesShare},
		hand: func(h hand) {
			h.s3(lakeID, "PUT", "/acme-bees", "")
			h.s3(lakeID, "DELETE", "/acme-old?publicAccessBlock", "")
			h.s3(lakeID, "PUT", "/acme-old?policy", `{"Version":"2012-10-17","Statement":[{"Sid":"Web","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::acme-old/www/*"}]}`)
			h.query(analyticsID, "iam", "CreateInstanceProfile", "InstanceProfileName", "other")
			h.query(analyticsID, "iam", "AddRoleToInstanceProfile", "InstanceProfileName", "other", "RoleName", "ants")
		},
		args:  []string{"plan", "--adopt"},
		needs: map[string][]string{"xshare-reader": {"Buckets s3:GetBucketTagging", "Buckets s3:GetBucketPublicAccessBlock"}},
	},
	{
		name: "apply that takes over",
		hand: func(h hand) {
			id := associationID(h, givenID)
			h.query(analyticsID, "ec2", "ReplaceIamInstanceProfileAssociation", "AssociationId", id, "IamInstanceProfile.Name", "other")
		},
		args: []string{"apply", "--yes", "--adopt"},
		needs: map[string][]string{"xshare-deployer": {
			"Buckets s3:ListBucket", "Buckets s3:PutBucketTagging", "Instances ec2:ReplaceIamInstanceProfileAssociation",
		}},
	},
	{
		name:  "apply without a share",
		gone:  []string{"shares/wasps.yaml"},
		args:  []string{"apply", "--yes"},
		needs: map[string][]string{"xshare-deployer": {"Buckets s3:DeleteBucketPolicy", "Roles iam:DetachRolePolicy"}},
	},
	{
		name: "apply that prunes",
		args: []string{"apply", "--yes", "--prune"},
		needs: map[string][]string{"xshare-deployer": {
			"Search tag:GetResources", "Instances ec2:TerminateInstances", "InstanceProfiles iam:RemoveRoleFromInstanceProfile",
			"InstanceProfiles iam:DeleteInstanceProfile", "Roles iam:GetRole", "Roles iam:DeleteRole", "Policies iam:DeletePolicy",
			"Buckets s3:DeleteBucket",
		}},
	},
	{
		name:  "verify of all that a proof looks at",
		hand:  entangle,
		args:  []string{"verify", "--strict", "--only", "inbox", "--only", "events"},
		needs: map[string][]string{"xshare-reader": append(proofReads, "PoliciesOfAWS iam:GetPolicyVersion")},
	},
	{
		name:  "verify of the same with a probe",
		args:  []string{"verify", "--strict", "--probe", "--only", "inbox"},
		needs: map[string][]string{"xshare-deployer": proofReads},
	},
}

const minePolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"Mine","Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`

// proofReads are what only proofs read.
var proofReads = []string{
	"Search organizations:DescribeOrganization", "Search organizations:DescribePolicy", "Search organizations:ListParents",
	"Search organizations:ListPoliciesForTarget", "Search organizations:ListRoots", "Search s3:GetAccountPublicAccessBlock",
	"Buckets s3:GetBucketOwnershipControls", "Buckets s3:GetEncryptionConfiguration",
	"Keys kms:DescribeKey", "Keys kms:GetKeyPolicy", "Keys kms:ListGrants",
}

// entangle gives the inbox and its writer all that proofs look at beside the
// two policies: a key with a grant, a public statement that nothing blocks, a
// policy of AWS's, and an organization.
func entangle(h hand) {
	h.t.Helper()
	const writer = "arn:aws:iam::" + analyticsID + ":role/writer"
	var key struct{ KeyMetadata struct{ Arn string } }
	policy := `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + lakeID + `:root"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Allow","Principal":{"AWS":"` + writer + `"},"Action":"kms:GenerateDataKey","Resource":"*"}]}`
	h.read(h.json(lakeID, "kms", "CreateKey", jsonOf(h.t, map[string]string{"Policy": policy})), &key)
	arn := key.KeyMetadata.Arn
	h.json(lakeID, "kms", "CreateGrant", jsonOf(h.t, map[string]any{"KeyId": arn, "GranteePrincipal": writer, "Operations": []string{"Decrypt"}}))
	h.s3(lakeID, "PUT", "/acme-inbox?encryption", `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>`+
		arn+`</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`)
	h.query(analyticsID, "iam", "PutRolePolicy", "RoleName", "writer", "PolicyName", "key", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"`+arn+`"}}`)

	h.s3(lakeID, "DELETE", "/acme-inbox?publicAccessBlock", "")
	h.s3(lakeID, "PUT", "/acme-inbox?policy", `{"Version":"2012-10-17","Statement":[
		{"Sid":"Web","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::acme-inbox/www/*"},
		{"Sid":"Place","Effect":"Allow","Principal":{"AWS":"`+writer+`"},"Action":"s3:GetBucketLocation","Resource":"arn:aws:s3:::acme-inbox"},
		{"Sid":"Write","Effect":"Allow","Principal":{"AWS":"`+writer+`"},"Action":["s3:PutObject","s3:AbortMultipartUpload","s3:ListMultipartUploadParts"],"Resource":"arn:aws:s3:::acme-inbox/incoming/*"}]}`)
	h.query(analyticsID, "iam", "AttachRolePolicy", "RoleName", "writer", "PolicyArn", "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")

	h.json(lakeID, "organizations", "CreateOrganization", `{"FeatureSet":"ALL"}`)
	var invitation struct{ Handshake struct{ ID string } }
	h.read(h.json(lakeID, "organizations", "InviteAccountToOrganization", `{"Target":{"Id":"`+analyticsID+`","Type":"ACCOUNT"}}`), &invitation)
	h.json(analyticsID, "organizations", "AcceptHandshake", `{"HandshakeId":"`+invitation.Handshake.ID+`"}`)
	var roots struct{ Roots []struct{ ID string } }
	h.read(h.json(lakeID, "organizations", "ListRoots", `{}`), &roots)
	h.json(lakeID, "organizations", "EnablePolicyType", `{"RootId":"`+roots.Roots[0].ID+`","PolicyType":"SERVICE_CONTROL_POLICY"}`)
}

// read reads an answer in JSON.
func (h hand) read(text string, v any) {
	h.t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		h.t.Fatal(err)
	}
}

// associationID is that of an instance's profile.
func associationID(h hand, instance string) string {
	h.t.Helper()
	return element(h.t, h.query(analyticsID, "ec2", "DescribeIamInstanceProfileAssociations",
		"Filter.1.Name", "instance-id", "Filter.1.Value.1", instance), "associationId")
}

const leastRepository = `apiVersion: xshare/v1
kind: Repository
metadata: {name: acme}
spec:
  region: us-east-1
  deployRole: xshare-deployer
  readRole: xshare-reader
  externalId: acme-7f3a
  permissionsBoundary: workload
  accounts:
    lake:      {id: "111111111111"}
    analytics: {id: "222222222222"}
  lock: {bucket: acme-locks, account: lake}
`

func eventsShare(access string) string {
	return `apiVersion: xshare/v1
kind: Share
metadata: {name: events}
spec:
  bucket: {name: acme-events, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: reader, create: true, trust: ec2}
      access: ` + access + `
      instances: [{name: client, subnet: subnet-1234}, {id: ` + givenID + `}]
`
}

const inboxShare = `apiVersion: xshare/v1
kind: Share
metadata: {name: inbox}
spec:
  bucket: {name: acme-inbox, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: writer, create: true, trust: ec2}
      access: write
      prefixes: [incoming/]
      instances: [{name: writer-client, subnet: subnet-1234}]
`

const oldShare = `apiVersion: xshare/v1
kind: Share
metadata: {name: old}
spec:
  bucket: {name: acme-old, account: lake}
  consumers:
    - account: analytics
      role: {name: reader, create: true, trust: ec2}
      access: list
`

const antsShare = `apiVersion: xshare/v1
kind: Share
metadata: {name: ants}
spec:
  bucket: {name: acme-ants, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: ants, create: true, trust: ec2}
      access: read
      instances: [{name: ants-client, subnet: subnet-1234}]
`

const beesShare = `apiVersion: xshare/v1
kind: Share
metadata: {name: bees}
spec:
  bucket: {name: acme-bees, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: bees, create: true, trust: lambda}
      access: read
`

const waspsShare = `apiVersion: xshare/v1
kind: Share
metadata: {name: wasps}
spec:
  bucket: {name: acme-wasps, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: wasps, create: true, trust: ec2}
      access: read
      instances: [{name: wasps-client, subnet: subnet-1234}]
`
