package iampolicy

import "strings"

const (
	pageCross    = "IAM:reference_policies_evaluation-logic-cross-account"
	pageLogic    = "IAM:reference_policies_evaluation-logic"
	pagePrinc    = "IAM:reference_policies_elements_principal"
	pageNotPrinc = "IAM:reference_policies_elements_notprincipal"
	pageBoundary = "IAM:access_policies_boundaries"
	pageSCP      = "ORG:orgs_manage_policies_scps_evaluation"
	pageRCP      = "ORG:orgs_manage_policies_rcps"
	pageBPA      = "S3:access-control-block-public-access"
	pageKey      = "KMS:key-policy-modifying-external-accounts"
	pageKeyOwn   = "KMS:key-policies"
	pageTrust    = "IAM:id_roles_terms-and-concepts"
	pageAction   = "IAM:reference_policies_elements_action"
	pageResource = "IAM:reference_policies_elements_resource"
	pageVars     = "IAM:reference_policies_variables"
	pageRoot     = "IAM:id_root-user"
	pageS3Policy = "S3:API_PutBucketPolicy"
	pageEndpoint = "S3:example-bucket-policies-vpc-endpoint"
	pageIDs      = "IAM:reference_identifiers#identifiers-unique-ids"
)

func resources(pattern string) []string {
	return list(`{"Effect":"Allow","Action":"s3:*","Resource":"` + pattern + `"}`)
}

func actions(pattern string) []string {
	return list(`{"Effect":"Allow","Action":"` + pattern + `","Resource":"*"}`)
}

var (
	both     = []Side{SideIdentity, SideResource}
	identity = []Side{SideIdentity}
	resOnly  = []Side{SideResource}
)

var evalCases = map[string]evalCase{
	// Two accounts: both sides.
	"cross: both sides allow":                         {page: pageCross, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), want: Allowed},
	"cross: no policy at all":                         {page: pageCross, caller: "role B", want: ImplicitDeny, lacking: both},
	"cross: identity only":                            {page: pageCross, caller: "role B", identity: list(allowAll), want: ImplicitDeny, lacking: resOnly},
	"cross: resource only":                            {page: pageCross, caller: "role B", policy: to("Allow", ofRoleB), want: ImplicitDeny, lacking: identity},
	"cross: both are silent on the action":            {page: pageCross, caller: "role B", identity: list(allowPut), policy: to("Allow", ofRoleB), action: "s3:DeleteObject", want: ImplicitDeny, lacking: both},
	"cross: identity denies":                          {page: pageCross, caller: "role B", identity: list(allowGet, denyGet), policy: to("Allow", ofRoleB), want: ExplicitDeny, lacking: identity},
	"cross: resource denies":                          {page: pageCross, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB) + "," + to("Deny", ofEverybody), want: ExplicitDeny, lacking: resOnly},
	"cross: identity lacks and resource denies":       {page: pageCross, caller: "role B", policy: to("Deny", ofB), want: ExplicitDeny, lacking: both},
	"cross: boundary lacks":                           {page: pageBoundary, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), boundary: list(allowPut), want: ImplicitDeny, lacking: []Side{SideBoundary}},
	"cross: boundary denies":                          {page: pageBoundary, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), boundary: list(allowAll, denyGet), want: ExplicitDeny, lacking: []Side{SideBoundary}},
	"cross: boundary allows":                          {page: pageBoundary, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), boundary: list(allowAll), want: Allowed},
	"cross: boundary does not grant":                  {page: pageBoundary, caller: "role B", policy: to("Allow", ofRoleB), boundary: list(allowAll), want: ImplicitDeny, lacking: identity},
	"cross: empty boundary list":                      {page: pageBoundary, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), boundary: []string{}, want: ImplicitDeny, lacking: []Side{SideBoundary}},
	"cross: session policy lacks":                     {page: pageCross, caller: "session B", identity: list(allowGet), policy: to("Allow", ofRoleB), session: list(allowPut), want: ImplicitDeny, lacking: []Side{SideSession}},
	"cross: session ARN does not lift session policy": {page: pageCross, caller: "session B", identity: list(allowGet), policy: to("Allow", ofSessionB), session: list(allowPut), want: ImplicitDeny, lacking: []Side{SideSession}},
	"cross: session policy allows":                    {page: pageCross, caller: "session B", identity: list(allowGet), policy: to("Allow", ofRoleB), session: list(allowGet), want: Allowed},
	"cross: session policy denies":                    {page: pageCross, caller: "session B", identity: list(allowGet), policy: to("Allow", ofRoleB), session: list(allowGet, denyGet), want: ExplicitDeny, lacking: []Side{SideSession}},
	"cross: star does not lift the boundary":          {page: pageCross, caller: "role B", identity: list(allowGet), policy: to("Allow", ofEverybody), boundary: list(allowPut), want: ImplicitDeny, lacking: []Side{SideBoundary}},
	"cross: user ARN does not lift identity":          {page: pageCross, caller: "user B", policy: to("Allow", `{"AWS":"`+userB+`"}`), want: ImplicitDeny, lacking: identity},
	"cross: endpoint lacks":                           {page: pageEndpoint, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), endpoint: list(`{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"*"}`), want: ImplicitDeny, lacking: []Side{SideEndpoint}},
	"cross: endpoint allows":                          {page: pageEndpoint, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), endpoint: list(to("Allow", ofEverybody)), want: Allowed},
	"cross: endpoint without principal allows":        {page: pageEndpoint, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), endpoint: list(allowAll), want: Allowed},
	"cross: endpoint for another principal":           {page: pageEndpoint, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), endpoint: list(to("Allow", `{"AWS":"333333333333"}`)), want: ImplicitDeny, lacking: []Side{SideEndpoint}},
	"cross: endpoint denies":                          {page: pageEndpoint, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), endpoint: list(to("Allow", ofEverybody), to("Deny", ofEverybody)), want: ExplicitDeny, lacking: []Side{SideEndpoint}},
	"cross: everything lacks at once":                 {page: pageCross, caller: "session B", boundary: list(allowPut), session: list(allowPut), scps: [][]string{list(allowPut)}, endpoint: list(allowPut), want: ImplicitDeny, lacking: []Side{SideIdentity, SideResource, SideBoundary, SideSCP, SideSession, SideEndpoint}},
	"cross: deny does not hide what else lacks":       {page: pageCross, caller: "session B", identity: list(denyAll), boundary: list(allowPut), want: ExplicitDeny, lacking: []Side{SideIdentity, SideResource, SideBoundary}},

	// SCPs and RCPs.
	"SCP: every level allows":              {page: pageSCP, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), scps: [][]string{list(allowAll), list(allowAll), list(allowGet)}, want: Allowed},
	"SCP: one level lacks":                 {page: pageSCP, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), scps: [][]string{list(allowAll), list(allowPut), list(allowAll)}, want: ImplicitDeny, lacking: []Side{SideSCP}},
	"SCP: an empty level":                  {page: pageSCP, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), scps: [][]string{list(allowAll), list()}, want: ImplicitDeny, lacking: []Side{SideSCP}},
	"SCP: a deny at the root":              {page: pageSCP, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), scps: [][]string{list(allowAll, denyGet), list(allowAll)}, want: ExplicitDeny, lacking: []Side{SideSCP}},
	"SCP: does not grant":                  {page: pageSCP, caller: "role A", scps: [][]string{list(allowAll)}, want: ImplicitDeny, lacking: both},
	"SCP: limits root":                     {page: pageSCP, caller: "root A", scps: [][]string{list(allowPut)}, want: ImplicitDeny, lacking: []Side{SideSCP}},
	"SCP: not for service-linked roles":    {page: pageSCP, caller: "linked role", identity: list(allowGet), policy: to("Allow", ofB), scps: [][]string{list(denyAll)}, want: Allowed},
	"SCP: not for services":                {page: pageSCP, caller: "service", policy: to("Allow", `{"Service":"ec2.amazonaws.com"}`), scps: [][]string{list(denyAll)}, want: Allowed},
	"SCP: a direct grant does not lift it": {page: pageSCP, caller: "user A", policy: to("Allow", `{"AWS":"`+userA+`"}`), scps: [][]string{list(allowPut)}, want: ImplicitDeny, lacking: []Side{SideSCP}},
	"RCP: full access":                     {page: pageRCP, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), rcps: [][]string{list(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`)}, want: Allowed},
	"RCP: a customer's deny beside the full access that is always there": {page: pageRCP, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), rcps: [][]string{list(`{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}`)}, want: Allowed},
	"RCP: denies":                        {page: pageRCP, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), rcps: [][]string{list(to("Deny", ofEverybody))}, want: ExplicitDeny, lacking: []Side{SideRCP}},
	"RCP: denies in the account":         {page: pageRCP, caller: "role A", identity: list(allowGet), rcps: [][]string{list(allowAll), list(to("Deny", ofEverybody))}, want: ExplicitDeny, lacking: []Side{SideRCP}},
	"RCP: denies anonymous":              {page: pageRCP, caller: "anonymous", policy: to("Allow", ofEverybody), rcps: [][]string{list(to("Deny", ofEverybody))}, want: ExplicitDeny, lacking: []Side{SideRCP}},
	"RCP: only outside the organization": {page: pageRCP, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB), context: map[string][]string{"aws:PrincipalOrgID": {"o-1"}}, rcps: [][]string{list(`{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}}`)}, want: Allowed},
	"RCP: not for service-linked roles":  {page: pageRCP, caller: "linked role", identity: list(allowGet), policy: to("Allow", ofB), rcps: [][]string{list(to("Deny", ofEverybody))}, want: Allowed},

	// One account.
	"same: identity alone":                           {page: pageLogic, caller: "role A", identity: list(allowGet), want: Allowed},
	"same: identity alone, policy names others":      {page: pageLogic, caller: "role A", identity: list(allowGet), policy: to("Allow", ofRoleB), want: Allowed},
	"same: nothing":                                  {page: pageLogic, caller: "role A", want: ImplicitDeny, lacking: both},
	"same: nothing, another service":                 {page: pageLogic, caller: "role A", action: "ec2:RunInstances", resource: "arn:aws:ec2:eu-west-1:111111111111:instance/*", want: ImplicitDeny, lacking: identity},
	"same: bucket policy denies":                     {page: pageLogic, caller: "role A", identity: list(allowGet), policy: to("Deny", ofEverybody), want: ExplicitDeny, lacking: resOnly},
	"same: user named":                               {page: pageLogic, caller: "user A", policy: to("Allow", `{"AWS":"`+userA+`"}`), want: Allowed},
	"same: user named, boundary silent":              {page: pageLogic, caller: "user A", policy: to("Allow", `{"AWS":"`+userA+`"}`), boundary: list(allowPut), want: Allowed},
	"same: user named, boundary denies":              {page: pageLogic, caller: "user A", policy: to("Allow", `{"AWS":"`+userA+`"}`), boundary: list(denyAll), want: ExplicitDeny, lacking: []Side{SideBoundary}},
	"same: user named, identity denies":              {page: pageLogic, caller: "user A", policy: to("Allow", `{"AWS":"`+userA+`"}`), identity: list(denyGet), want: ExplicitDeny, lacking: identity},
	"same: role named":                               {page: pageLogic, caller: "session A", policy: to("Allow", `{"AWS":"`+roleA+`"}`), want: Allowed},
	"same: role named, boundary limits":              {page: pageLogic, caller: "session A", policy: to("Allow", `{"AWS":"`+roleA+`"}`), boundary: list(allowPut), want: ImplicitDeny, lacking: []Side{SideBoundary}},
	"same: role named, session policy limits":        {page: pageLogic, caller: "session A", policy: to("Allow", `{"AWS":"`+roleA+`"}`), session: list(allowPut), want: ImplicitDeny, lacking: []Side{SideSession}},
	"same: session named, nothing limits":            {page: pageLogic, caller: "session A", policy: to("Allow", `{"AWS":"`+sessionA+`"}`), boundary: list(allowPut), session: list(allowPut), want: Allowed},
	"same: session named, session policy denies":     {page: pageLogic, caller: "session A", policy: to("Allow", `{"AWS":"`+sessionA+`"}`), session: list(denyAll), want: ExplicitDeny, lacking: []Side{SideSession}},
	"same: everybody, nothing limits":                {page: pagePrinc, caller: "session A", policy: to("Allow", ofEverybody), boundary: list(allowPut), session: list(allowPut), want: Allowed},
	"same: everybody with PrincipalArn":              {page: pagePrinc, caller: "session A", policy: `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"ArnEquals":{"aws:PrincipalArn":"` + roleA + `"}}}`, boundary: list(allowPut), want: Allowed},
	"same: account named delegates":                  {page: pageLogic, caller: "role A", policy: to("Allow", `{"AWS":"111111111111"}`), want: ImplicitDeny, lacking: identity},
	"same: account named and identity":               {page: pageLogic, caller: "role A", identity: list(allowGet), policy: to("Allow", `{"AWS":"`+rootA+`"}`), want: Allowed},
	"same: account named, boundary limits":           {page: pageLogic, caller: "role A", identity: list(allowGet), policy: to("Allow", `{"AWS":"111111111111"}`), boundary: list(allowPut), want: ImplicitDeny, lacking: []Side{SideBoundary}},
	"same: identity, session policy limits":          {page: pageLogic, caller: "session A", identity: list(allowGet), session: list(allowPut), want: ImplicitDeny, lacking: []Side{SideSession}},
	"same: role and session named in two statements": {page: pageLogic, caller: "session A", policy: to("Allow", `{"AWS":"`+roleA+`"}`) + `,{"Effect":"Allow","Principal":{"AWS":"` + sessionA + `"},"Action":"s3:*","Resource":"*"}`, session: list(allowPut), want: Allowed},
	"same: session and role named in two statements": {page: pageLogic, caller: "session A", policy: `{"Effect":"Allow","Principal":{"AWS":"` + sessionA + `"},"Action":"s3:*","Resource":"*"},` + to("Allow", `{"AWS":"`+roleA+`"}`), session: list(allowPut), want: Allowed},
	"same: owner unknown is the caller's account":    {page: pageLogic, caller: "role A", identity: list(allowGet), owner: accountA, want: Allowed},

	// Root.
	"root: its own bucket":               {page: pageRoot, caller: "root A", want: Allowed},
	"root: bucket policy denies":         {page: pageRoot, caller: "root A", policy: to("Deny", ofEverybody), want: ExplicitDeny, lacking: resOnly},
	"root: may always read the policy":   {page: pageS3Policy, caller: "root A", action: "s3:GetBucketPolicy", resource: bucket1, policy: `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`, want: Allowed},
	"root: may always write the policy":  {page: pageS3Policy, caller: "root A", action: "s3:PutBucketPolicy", resource: bucket1, policy: `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`, want: Allowed},
	"root: others may not":               {page: pageS3Policy, caller: "role A", action: "s3:PutBucketPolicy", resource: bucket1, identity: list(allowAll), policy: `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`, want: ExplicitDeny, lacking: resOnly},
	"root: of another account":           {page: pageRoot, caller: "root B", policy: to("Allow", ofB), want: Allowed},
	"root: of another account, unnamed":  {page: pageRoot, caller: "root B", want: ImplicitDeny, lacking: resOnly},
	"root: cannot assume a role":         {page: "STS:API_AssumeRole", caller: "root A", action: "sts:AssumeRole", resource: roleA, policy: `{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}`, want: ImplicitDeny, lacking: identity},
	"cross: bucket policy of another":    {page: pageS3Policy, caller: "role B", action: "s3:PutBucketPolicy", resource: bucket1, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":` + ofRoleB + `,"Action":"s3:*","Resource":"` + bucket1 + `"}`, want: ImplicitDeny, lacking: resOnly},
	"cross: reads the policy of another": {page: pageS3Policy, caller: "role B", action: "S3:getbucketpolicy", resource: bucket1, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":` + ofRoleB + `,"Action":"s3:*","Resource":"` + bucket1 + `"}`, want: ImplicitDeny, lacking: resOnly},

	// Principals.
	"principal: account id":                 {page: pagePrinc, caller: "role B", identity: list(allowGet), policy: to("Allow", ofB), want: Allowed},
	"principal: account root":               {page: pagePrinc, caller: "session B", identity: list(allowGet), policy: to("Allow", `{"AWS":"`+rootB+`"}`), want: Allowed},
	"principal: account needs identity":     {page: pagePrinc, caller: "role B", policy: to("Allow", ofB), want: ImplicitDeny, lacking: identity},
	"principal: another account":            {page: pagePrinc, caller: "role B", identity: list(allowGet), policy: to("Allow", `{"AWS":"333333333333"}`), want: ImplicitDeny, lacking: resOnly},
	"principal: role matches its session":   {page: pagePrinc, caller: "session B", identity: list(allowGet), policy: to("Allow", ofRoleB), want: Allowed},
	"principal: role without its path":      {page: pagePrinc, caller: "session B", identity: list(allowGet), policy: to("Allow", `{"AWS":"arn:aws:iam::222222222222:role/reader"}`), want: ImplicitDeny, lacking: resOnly},
	"principal: path unknown, none named":   {page: pagePrinc, caller: "pathless B", identity: list(allowGet), policy: to("Allow", `{"AWS":"arn:aws:iam::222222222222:role/reader"}`), want: Allowed},
	"principal: path unknown, Allow":        {page: pagePrinc, caller: "pathless B", identity: list(allowGet), policy: to("Allow", ofRoleB), want: ImplicitDeny, lacking: resOnly},
	"principal: path unknown, Deny":         {page: pagePrinc, caller: "pathless B", identity: list(allowGet), policy: to("Allow", ofB) + "," + to("Deny", ofRoleB), want: ExplicitDeny, lacking: resOnly},
	"principal: session":                    {page: pagePrinc, caller: "session B", identity: list(allowGet), policy: to("Allow", ofSessionB), want: Allowed},
	"principal: another session":            {page: pagePrinc, caller: "session B", identity: list(allowGet), policy: to("Allow", `{"AWS":"arn:aws:sts::222222222222:assumed-role/reader/s2"}`), want: ImplicitDeny, lacking: resOnly},
	"principal: a session is not its role":  {page: pagePrinc, caller: "role B", identity: list(allowGet), policy: to("Allow", ofSessionB), want: ImplicitDeny, lacking: resOnly},
	"principal: user":                       {page: pagePrinc, caller: "user B", identity: list(allowGet), policy: to("Allow", `{"AWS":"`+userB+`"}`), want: Allowed},
	"principal: user in another case":       {page: pagePrinc, caller: "user B", identity: list(allowGet), policy: to("Allow", `{"AWS":"arn:aws:iam::222222222222:user/team/Bob"}`), want: ImplicitDeny, lacking: resOnly},
	"principal: everybody":                  {page: pagePrinc, caller: "role B", identity: list(allowGet), policy: to("Allow", ofEverybody), want: Allowed},
	"principal: AWS star":                   {page: pagePrinc, caller: "role B", identity: list(allowGet), policy: to("Allow", `{"AWS":"*"}`), want: Allowed},
	"principal: everybody needs identity":   {page: pagePrinc, caller: "role B", policy: to("Allow", ofEverybody), want: ImplicitDeny, lacking: identity},
	"principal: anonymous":                  {page: pagePrinc, caller: "anonymous", policy: to("Allow", ofEverybody), want: Allowed},
	"principal: anonymous is in no account": {page: pagePrinc, caller: "anonymous", policy: to("Allow", ofB), want: ImplicitDeny, lacking: resOnly},
	"principal: anonymous without policy":   {page: pagePrinc, caller: "anonymous", want: ImplicitDeny, lacking: resOnly},
	"principal: unique id":                  {page: pageIDs, caller: "role B", identity: list(allowGet), policy: to("Allow", `{"AWS":"`+idB+`"}`), want: Allowed},
	"principal: unique id of a session":     {page: pageIDs, caller: "session B", identity: list(allowGet), policy: to("Allow", `{"AWS":"`+idB+`"}`), want: Allowed},
	"principal: unique id of a user":        {page: pageIDs, caller: "user B", identity: list(allowGet), policy: to("Allow", `{"AWS":"AIDAEXAMPLEEXAMPLE12"}`), want: Allowed},
	"principal: id of a deleted role":       {page: pageIDs, caller: "role B", identity: list(allowGet), policy: to("Allow", `{"AWS":"AROADELETEDROLE12345"}`), want: ImplicitDeny, lacking: resOnly},
	"principal: id unknown, Allow":          {page: pageIDs, caller: "role A", policy: to("Allow", `{"AWS":"`+idB+`"}`), want: ImplicitDeny, lacking: both},
	"principal: id unknown, Deny":           {page: pageIDs, caller: "role A", identity: list(allowGet), policy: to("Deny", `{"AWS":"`+idB+`"}`), want: ExplicitDeny, lacking: resOnly},
	"principal: id of another role, Deny":   {page: pageIDs, caller: "role B", identity: list(allowGet), policy: to("Allow", ofB) + "," + to("Deny", `{"AWS":"AROADELETEDROLE12345"}`), want: Allowed},
	"principal: id of the other kind, Deny": {page: pageIDs, caller: "role A", identity: list(allowGet), policy: to("Deny", `{"AWS":"AIDAEXAMPLEEXAMPLE12"}`), want: Allowed},
	"principal: id-like text is no id":      {page: pageIDs, caller: "role A", identity: list(allowGet), policy: to("Deny", `{"AWS":"arn:aws:iam::333333333333:role/AROA"}`), want: Allowed},
	"principal: service":                    {page: pagePrinc, caller: "service", policy: to("Allow", `{"Service":["s3.amazonaws.com","ec2.amazonaws.com"]}`), want: Allowed},
	"principal: another service":            {page: pagePrinc, caller: "service", policy: to("Allow", `{"Service":"s3.amazonaws.com"}`), want: ImplicitDeny, lacking: resOnly},
	"principal: service is no role":         {page: pagePrinc, caller: "role B", identity: list(allowGet), policy: to("Allow", `{"Service":"ec2.amazonaws.com"}`), want: ImplicitDeny, lacking: resOnly},
	"principal: service denied":             {page: pagePrinc, caller: "service", policy: to("Allow", `{"Service":"ec2.amazonaws.com"}`) + "," + to("Deny", ofEverybody), want: ExplicitDeny, lacking: resOnly},
	"principal: canonical user, Allow":      {page: pagePrinc, caller: "role B", identity: list(allowGet), policy: to("Allow", `{"CanonicalUser":"79a5"}`), want: ImplicitDeny, lacking: resOnly},
	"principal: canonical user, Deny":       {page: pagePrinc, caller: "role B", identity: list(allowGet), policy: to("Allow", ofB) + "," + to("Deny", `{"CanonicalUser":"79a5"}`), want: ExplicitDeny, lacking: resOnly},
	"principal: federated, Allow":           {page: pagePrinc, caller: "session B", identity: list(allowGet), policy: to("Allow", `{"Federated":"cognito-identity.amazonaws.com"}`), context: map[string][]string{"aws:FederatedProvider": {"cognito-identity.amazonaws.com"}}, want: ImplicitDeny, lacking: resOnly},
	"principal: federated, Deny":            {page: pagePrinc, caller: "session B", identity: list(allowGet), policy: to("Allow", ofB) + "," + to("Deny", `{"Federated":"cognito-identity.amazonaws.com"}`), context: map[string][]string{"aws:FederatedProvider": {"cognito-identity.amazonaws.com"}}, want: ExplicitDeny, lacking: resOnly},
	"principal: other federated, Deny":      {page: pagePrinc, caller: "session B", identity: list(allowGet), policy: to("Allow", ofB) + "," + to("Deny", `{"Federated":"graph.facebook.com"}`), want: Allowed},

	// NotPrincipal.
	"NotPrincipal: Allow gives nothing":           {page: pageNotPrinc, caller: "role B", identity: list(allowGet), policy: `{"Effect":"Allow","NotPrincipal":{"AWS":"333333333333"},"Action":"s3:*","Resource":"*"}`, want: ImplicitDeny, lacking: resOnly},
	"NotPrincipal: spares user and account":       {page: pageNotPrinc, caller: "user A", identity: list(allowGet), policy: `{"Effect":"Deny","NotPrincipal":{"AWS":["` + userA + `","` + rootA + `"]},"Action":"s3:*","Resource":"*"}`, want: Allowed},
	"NotPrincipal: user without account":          {page: pageNotPrinc, caller: "user A", identity: list(allowGet), policy: `{"Effect":"Deny","NotPrincipal":{"AWS":"` + userA + `"},"Action":"s3:*","Resource":"*"}`, want: ExplicitDeny, lacking: resOnly},
	"NotPrincipal: account alone":                 {page: pageNotPrinc, caller: "user A", identity: list(allowGet), policy: `{"Effect":"Deny","NotPrincipal":{"AWS":"` + rootA + `"},"Action":"s3:*","Resource":"*"}`, want: ExplicitDeny, lacking: resOnly},
	"NotPrincipal: session, role, account":        {page: pageNotPrinc, caller: "session A", identity: list(allowGet), policy: `{"Effect":"Deny","NotPrincipal":{"AWS":["` + sessionA + `","` + roleA + `","` + rootA + `"]},"Action":"s3:*","Resource":"*"}`, want: Allowed},
	"NotPrincipal: role and account only":         {page: pageNotPrinc, caller: "session A", identity: list(allowGet), policy: `{"Effect":"Deny","NotPrincipal":{"AWS":["` + roleA + `","` + rootA + `"]},"Action":"s3:*","Resource":"*"}`, want: ExplicitDeny, lacking: resOnly},
	"NotPrincipal: role as such":                  {page: pageNotPrinc, caller: "role A", identity: list(allowGet), policy: `{"Effect":"Deny","NotPrincipal":{"AWS":["` + roleA + `","` + rootA + `"]},"Action":"s3:*","Resource":"*"}`, want: ExplicitDeny, lacking: resOnly},
	"NotPrincipal: boundary":                      {page: pageNotPrinc, caller: "user A", identity: list(allowGet), boundary: list(allowAll), policy: `{"Effect":"Deny","NotPrincipal":{"AWS":["` + userA + `","` + rootA + `"]},"Action":"s3:*","Resource":"*"}`, want: ExplicitDeny, lacking: resOnly},
	"NotPrincipal: canonical id spares nobody":    {page: pageNotPrinc, caller: "user A", identity: list(allowGet), policy: `{"Effect":"Deny","NotPrincipal":{"AWS":"` + userA + `","CanonicalUser":"79a5"},"Action":"s3:*","Resource":"*"}`, want: ExplicitDeny, lacking: resOnly},
	"NotPrincipal: root":                          {page: pageNotPrinc, caller: "root A", policy: `{"Effect":"Deny","NotPrincipal":{"AWS":"` + rootA + `"},"Action":"s3:*","Resource":"*"}`, want: Allowed},
	"NotPrincipal: service spared":                {page: pageNotPrinc, caller: "service", policy: to("Allow", `{"Service":"ec2.amazonaws.com"}`) + `,{"Effect":"Deny","NotPrincipal":{"Service":"ec2.amazonaws.com"},"Action":"s3:*","Resource":"*"}`, want: Allowed},
	"NotPrincipal: service not spared":            {page: pageNotPrinc, caller: "service", policy: to("Allow", `{"Service":"ec2.amazonaws.com"}`) + `,{"Effect":"Deny","NotPrincipal":{"Service":"s3.amazonaws.com"},"Action":"s3:*","Resource":"*"}`, want: ExplicitDeny, lacking: resOnly},
	"NotPrincipal: anonymous":                     {page: pageNotPrinc, caller: "anonymous", policy: to("Allow", ofEverybody) + `,{"Effect":"Deny","NotPrincipal":{"AWS":"111111111111"},"Action":"s3:*","Resource":"*"}`, want: ExplicitDeny, lacking: resOnly},
	"NotPrincipal: everybody spared":              {page: pageNotPrinc, caller: "role A", identity: list(allowGet), policy: `{"Effect":"Deny","NotPrincipal":"*","Action":"s3:*","Resource":"*"}`, want: Allowed},
	"NotPrincipal: another action is not touched": {page: pageNotPrinc, caller: "user A", identity: list(allowGet), policy: `{"Effect":"Deny","NotPrincipal":{"AWS":"` + userB + `"},"Action":"s3:PutObject","Resource":"*"}`, want: Allowed},

	// Actions and resources.
	"action: exact":                            {page: pageAction, caller: "role A", identity: actions("s3:GetObject"), want: Allowed},
	"action: in any case":                      {page: pageAction, caller: "role A", identity: actions("S3:getOBJECT"), want: Allowed},
	"action: star":                             {page: pageAction, caller: "role A", identity: actions("*"), want: Allowed},
	"action: service star":                     {page: pageAction, caller: "role A", identity: actions("s3:*"), want: Allowed},
	"action: prefix":                           {page: pageAction, caller: "role A", identity: actions("s3:Get*"), want: Allowed},
	"action: inner star":                       {page: pageAction, caller: "role A", identity: actions("s3:G*Obj*t"), want: Allowed},
	"action: question mark":                    {page: pageAction, caller: "role A", identity: actions("s3:Get?bject"), want: Allowed},
	"action: question mark needs one":          {page: pageAction, caller: "role A", identity: actions("s3:GetObject?"), want: ImplicitDeny, lacking: both},
	"action: star stands for nothing":          {page: pageAction, caller: "role A", identity: actions("s3:GetObject**"), want: Allowed},
	"action: longer name":                      {page: pageAction, caller: "role A", identity: actions("s3:GetObjectVersion"), want: ImplicitDeny, lacking: both},
	"action: other service":                    {page: pageAction, caller: "role A", identity: actions("s3-object-lambda:*"), want: ImplicitDeny, lacking: both},
	"action: NotAction allows the rest":        {page: "IAM:reference_policies_elements_notaction", caller: "role A", identity: list(`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`), want: Allowed},
	"action: NotAction leaves out":             {page: "IAM:reference_policies_elements_notaction", caller: "role A", identity: list(`{"Effect":"Allow","NotAction":["iam:*","s3:Get*"],"Resource":"*"}`), want: ImplicitDeny, lacking: both},
	"action: NotAction denies the rest":        {page: "IAM:reference_policies_elements_notaction", caller: "role A", identity: list(allowAll, `{"Effect":"Deny","NotAction":"s3:ListBucket","Resource":"*"}`), want: ExplicitDeny, lacking: identity},
	"resource: exact":                          {page: pageResource, caller: "role A", identity: resources(object1), want: Allowed},
	"resource: case counts":                    {page: pageResource, caller: "role A", identity: resources("arn:aws:s3:::b/Logs/x"), want: ImplicitDeny, lacking: both},
	"resource: star spans slashes":             {page: pageResource, caller: "role A", identity: resources("arn:aws:s3:::b/*"), want: Allowed},
	"resource: the bucket is no object":        {page: pageResource, caller: "role A", identity: resources(bucket1), want: ImplicitDeny, lacking: both},
	"resource: objects are no bucket":          {page: pageResource, caller: "role A", action: "s3:ListBucket", resource: bucket1, identity: resources("arn:aws:s3:::b/*"), want: ImplicitDeny, lacking: both},
	"resource: prefix of a name":               {page: pageResource, caller: "role A", identity: resources("arn:aws:s3:::b*"), want: Allowed},
	"resource: question mark":                  {page: pageResource, caller: "role A", identity: resources("arn:aws:s3:::?/logs/?"), want: Allowed},
	"resource: question mark is one character": {page: pageResource, caller: "role A", resource: "arn:aws:s3:::b/é", identity: resources("arn:aws:s3:::b/?"), want: Allowed},
	"resource: two stars":                      {page: pageResource, caller: "role A", identity: resources("arn:aws:s3:::*/*/x"), want: Allowed},
	"resource: backtracking":                   {page: pageResource, caller: "role A", resource: "arn:aws:s3:::b/aab/aab/c", identity: resources("arn:aws:s3:::b/*aab/c"), want: Allowed},
	"resource: star in the key only":           {page: pageResource, caller: "role A", resource: "arn:aws:s3:::b/*", identity: resources("arn:aws:s3:::b/x"), want: ImplicitDeny, lacking: both},
	"resource: star ends a part":               {page: pageResource, caller: "role A", identity: resources("arn:aws:s3:*:b/logs/x"), want: ImplicitDeny, lacking: both},
	"resource: star within a part":             {page: pageResource, caller: "role A", resource: "arn:aws:sqs:eu-1:111111111111:q", action: "sqs:SendMessage", identity: list(`{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:e*1:q"}`), want: ImplicitDeny, lacking: identity},
	"resource: star within a part, six":        {page: pageResource, caller: "role A", resource: "arn:aws:sqs:eu-1:111111111111:a:1:q", action: "sqs:SendMessage", identity: list(`{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:e*1:1:q"}`), want: ImplicitDeny, lacking: identity},
	"resource: star within a part fits":        {page: pageResource, caller: "role A", resource: "arn:aws:sqs:eu-1:111111111111:q", action: "sqs:SendMessage", identity: list(`{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:e*1:111111111111:q"}`), want: Allowed},
	"resource: cut ARN, Allow":                 {page: pageARNs, caller: "role A", identity: resources("arn:aws:s3"), want: Allowed},
	"resource: cut ARN, Deny":                  {page: pageARNs, caller: "role A", identity: list(allowAll, `{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3"}`), want: ExplicitDeny, lacking: identity},
	"resource: NotResource":                    {page: "IAM:reference_policies_elements_notresource", caller: "role A", identity: list(`{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::c/*"}`), want: Allowed},
	"resource: NotResource leaves out":         {page: "IAM:reference_policies_elements_notresource", caller: "role A", identity: list(`{"Effect":"Allow","Action":"s3:*","NotResource":["arn:aws:s3:::c/*","arn:aws:s3:::b/logs/*"]}`), want: ImplicitDeny, lacking: both},
	"resource: Deny with NotResource":          {page: "IAM:reference_policies_elements_notresource", caller: "role A", identity: list(allowAll, `{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::c/*"}`), want: ExplicitDeny, lacking: identity},
	"resource: Deny NotResource spares":        {page: "IAM:reference_policies_elements_notresource", caller: "role A", identity: list(allowAll, `{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::b/*"}`), want: Allowed},
	"resource: none, on star":                  {page: "S3:example-policies-s3", caller: "role A", action: "s3:ListAllMyBuckets", resource: "*", identity: actions("s3:ListAllMyBuckets"), want: Allowed},
	"resource: none, on all buckets":           {page: "S3:example-policies-s3", caller: "role A", action: "s3:ListAllMyBuckets", resource: "*", identity: resources("arn:aws:s3:::*"), want: Allowed},
	"resource: none, on one bucket":            {page: "S3:example-policies-s3", caller: "role A", action: "s3:ListAllMyBuckets", resource: "*", identity: resources(bucket1), want: ImplicitDeny, lacking: both},
	"resource: statement without one":          {page: pageResource, caller: "role B", identity: list(allowGet), policy: `{"Effect":"Allow","Principal":` + ofRoleB + `,"Action":"s3:GetObject"}`, want: ImplicitDeny, lacking: resOnly},
	"resource: Deny without one":               {page: pageResource, caller: "role B", identity: list(allowGet), policy: to("Allow", ofB) + `,{"Effect":"Deny","Principal":` + ofRoleB + `,"Action":"s3:GetObject"}`, want: ExplicitDeny, lacking: resOnly},
	"resource: managed policy of AWS":          {page: pageResource, caller: "role A", action: "iam:GetPolicy", resource: "arn:aws:iam::aws:policy/ReadOnlyAccess", owner: accountA, identity: list(allowAll), want: Allowed},

	// Policy variables.
	"variable: value":                         {page: pageVars, caller: "user A", identity: resources("arn:aws:s3:::b/${aws:username}/*"), context: map[string][]string{"aws:username": {"logs"}}, want: Allowed},
	"variable: name in any case":              {page: pageVars, caller: "user A", identity: resources("arn:aws:s3:::b/${AWS:UserName}/*"), context: map[string][]string{"aws:username": {"logs"}}, want: Allowed},
	"variable: other value":                   {page: pageVars, caller: "user A", identity: resources("arn:aws:s3:::b/${aws:username}/*"), context: map[string][]string{"aws:username": {"bob"}}, want: ImplicitDeny, lacking: both},
	"variable: no value":                      {page: pageVars, caller: "user A", identity: resources("arn:aws:s3:::b/${aws:PrincipalTag/team}/*"), want: ImplicitDeny, lacking: both},
	"variable: empty value":                   {page: pageVars, caller: "user A", resource: "arn:aws:s3:::b//x", identity: resources("arn:aws:s3:::b/${aws:username}/*"), context: map[string][]string{"aws:username": {""}}, want: ImplicitDeny, lacking: both},
	"variable: default":                       {page: pageVars, caller: "user A", identity: resources("arn:aws:s3:::b/${aws:PrincipalTag/team, 'logs'}/*"), want: Allowed},
	"variable: default not needed":            {page: pageVars, caller: "user A", identity: resources("arn:aws:s3:::b/${aws:PrincipalTag/team, 'x'}/*"), context: map[string][]string{"aws:PrincipalTag/team": {"logs"}}, want: Allowed},
	"variable: bad default":                   {page: pageVars, caller: "user A", identity: resources("arn:aws:s3:::b/${aws:PrincipalTag/team, logs}/*"), want: ImplicitDeny, lacking: both},
	"variable: several values":                {page: pageVars, caller: "user A", identity: resources("arn:aws:s3:::b/${aws:TagKeys}/*"), context: map[string][]string{"aws:TagKeys": {"logs", "y"}}, want: ImplicitDeny, lacking: both},
	"variable: star in the value":             {page: pageVars, caller: "user A", identity: resources("arn:aws:s3:::b/${aws:username}/x"), context: map[string][]string{"aws:username": {"*"}}, want: ImplicitDeny, lacking: both},
	"variable: star in the value, Deny":       {page: pageVars, caller: "user A", identity: list(allowAll, `{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/x"}`), context: map[string][]string{"aws:username": {"*"}}, want: ExplicitDeny, lacking: identity},
	"variable: not closed":                    {page: pageVars, caller: "user A", identity: resources("arn:aws:s3:::b/${aws:username"), context: map[string][]string{"aws:username": {"logs/x"}}, want: ImplicitDeny, lacking: both},
	"variable: before the key":                {page: pageVars, caller: "user A", identity: resources("arn:${aws:x}:s3:::b/*"), context: map[string][]string{"aws:x": {"aws"}}, want: ImplicitDeny, lacking: both},
	"variable: before the key, Deny":          {page: pageVars, caller: "user A", identity: list(allowAll, `{"Effect":"Deny","Action":"*","Resource":"arn:${aws:x}:s3:::c/*"}`), want: ExplicitDeny, lacking: identity},
	"variable: literal star":                  {page: pageVars, caller: "user A", identity: resources("arn:aws:s3:::b/logs/${*}"), want: ImplicitDeny, lacking: both},
	"variable: literal star matches":          {page: pageVars, caller: "user A", resource: "arn:aws:s3:::b/*?$", identity: resources("arn:aws:s3:::b/${*}${?}${$}"), want: Allowed},
	"variable: 2008 takes it as text":         {page: "IAM:reference_policies_elements_version", caller: "user A", resource: "arn:aws:s3:::b/${aws:username}/x", identity: list(`{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"}]}`), context: map[string][]string{"aws:username": {"logs"}}, want: Allowed},
	"variable: 2008 puts no value":            {page: "IAM:reference_policies_elements_version", caller: "user A", identity: list(`{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"}]}`), context: map[string][]string{"aws:username": {"logs"}}, want: ImplicitDeny, lacking: both},
	"variable: no value in NotResource":       {page: pageVars, caller: "user A", identity: list(`{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::b/${aws:PrincipalTag/t}/*"}`), want: Allowed},
	"variable: several values in NotResource": {page: pageVars, caller: "user A", identity: list(`{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::b/${aws:TagKeys}/*"}`), context: map[string][]string{"aws:TagKeys": {"a", "b"}}, want: ImplicitDeny, lacking: both},

	// Key policies.
	"key: same account needs the key policy": {page: pageKeyOwn, caller: "role A", action: "kms:Decrypt", resource: key1, identity: list(allowAll), want: ImplicitDeny, lacking: resOnly},
	"key: policy names others":               {page: pageKeyOwn, caller: "role A", action: "kms:Decrypt", resource: key1, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":{"AWS":"` + userA + `"},"Action":"kms:*","Resource":"*"}`, want: ImplicitDeny, lacking: resOnly},
	"key: policy delegates to the account":   {page: pageKeyOwn, caller: "role A", action: "kms:Decrypt", resource: key1, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":{"AWS":"` + rootA + `"},"Action":"kms:*","Resource":"*"}`, want: Allowed},
	"key: delegated, identity silent":        {page: pageKeyOwn, caller: "role A", action: "kms:Decrypt", resource: key1, policy: `{"Effect":"Allow","Principal":{"AWS":"` + rootA + `"},"Action":"kms:*","Resource":"*"}`, want: ImplicitDeny, lacking: identity},
	"key: policy names the role":             {page: pageKeyOwn, caller: "role A", action: "kms:Decrypt", resource: key1, policy: `{"Effect":"Allow","Principal":{"AWS":"` + roleA + `"},"Action":"kms:*","Resource":"*"}`, want: Allowed},
	"key: nobody allows":                     {page: pageKeyOwn, caller: "role A", action: "kms:Decrypt", resource: key1, want: ImplicitDeny, lacking: both},
	"key: root needs the key policy":         {page: pageKeyOwn, caller: "root A", action: "kms:Decrypt", resource: key1, policy: `{"Effect":"Allow","Principal":{"AWS":"` + roleA + `"},"Action":"kms:*","Resource":"*"}`, want: ImplicitDeny, lacking: resOnly},
	"key: across accounts":                   {page: pageKey, caller: "role B", action: "kms:Decrypt", resource: key1, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":` + ofB + `,"Action":"kms:Decrypt","Resource":"*"}`, want: Allowed},
	"key: across accounts, key policy only":  {page: pageKey, caller: "role B", action: "kms:Decrypt", resource: key1, policy: `{"Effect":"Allow","Principal":` + ofRoleB + `,"Action":"kms:Decrypt","Resource":"*"}`, want: ImplicitDeny, lacking: identity},
	"key: across accounts, identity only":    {page: pageKey, caller: "role B", action: "kms:GenerateDataKey", resource: key1, identity: list(allowAll), want: ImplicitDeny, lacking: resOnly},
	"key: not across accounts":               {page: pageKey, caller: "role B", action: "kms:ScheduleKeyDeletion", resource: key1, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":` + ofB + `,"Action":"kms:*","Resource":"*"}`, want: ImplicitDeny, lacking: resOnly},
	"key: actions without a key":             {page: pageKeyOwn, caller: "role A", action: "kms:ListKeys", resource: "*", identity: list(allowAll), want: Allowed},

	// Trust policies.
	"trust: a service":                        {page: pageTrust, caller: "service", action: "sts:AssumeRole", resource: roleA, policy: `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`, want: Allowed},
	"trust: a service that is not trusted":    {page: pageTrust, caller: "service", action: "sts:AssumeRole", resource: roleA, policy: `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`, want: ImplicitDeny, lacking: resOnly},
	"trust: identity alone":                   {page: pageTrust, caller: "user A", action: "sts:AssumeRole", resource: roleA, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`, want: ImplicitDeny, lacking: resOnly},
	"trust: the account, identity allows":     {page: pageTrust, caller: "user A", action: "sts:AssumeRole", resource: roleA, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":{"AWS":"` + rootA + `"},"Action":"sts:AssumeRole"}`, want: Allowed},
	"trust: the account, identity silent":     {page: pageTrust, caller: "user A", action: "sts:AssumeRole", resource: roleA, policy: `{"Effect":"Allow","Principal":{"AWS":"` + rootA + `"},"Action":"sts:AssumeRole"}`, want: ImplicitDeny, lacking: identity},
	"trust: the user by name":                 {page: pageTrust, caller: "user A", action: "sts:AssumeRole", resource: roleA, policy: `{"Effect":"Allow","Principal":{"AWS":"` + userA + `"},"Action":"sts:AssumeRole"}`, want: Allowed},
	"trust: a role does not trust itself":     {page: pageTrust, caller: "role A", action: "sts:AssumeRole", resource: roleA, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":{"AWS":"` + userA + `"},"Action":"sts:AssumeRole"}`, want: ImplicitDeny, lacking: resOnly},
	"trust: across accounts":                  {page: pageTrust, caller: "role B", action: "sts:AssumeRole", resource: roleA, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":` + ofB + `,"Action":"sts:AssumeRole"}`, want: Allowed},
	"trust: across accounts, one side":        {page: pageTrust, caller: "role B", action: "sts:AssumeRole", resource: roleA, policy: `{"Effect":"Allow","Principal":` + ofRoleB + `,"Action":"sts:AssumeRole"}`, want: ImplicitDeny, lacking: identity},
	"trust: external id":                      {page: "IAM:id_roles_create_for-user_externalid", caller: "role B", action: "sts:AssumeRole", resource: roleA, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":` + ofB + `,"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x1"}}}`, context: map[string][]string{"sts:ExternalId": {"x1"}}, want: Allowed},
	"trust: nobody without a signature":       {page: pageTrust, caller: "anonymous", action: "sts:AssumeRole", resource: roleA, policy: `{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}`, want: ImplicitDeny, lacking: resOnly},
	"key: nobody without a signature":         {page: pageKeyOwn, caller: "anonymous", action: "kms:Decrypt", resource: key1, policy: `{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}`, want: ImplicitDeny, lacking: resOnly},
	"same: user named, session policy limits": {page: pageLogic, caller: "user A", policy: to("Allow", `{"AWS":"`+userA+`"}`), session: list(allowPut), want: ImplicitDeny, lacking: []Side{SideSession}},
	"trust: external id missing":              {page: "IAM:id_roles_create_for-user_externalid", caller: "role B", action: "sts:AssumeRole", resource: roleA, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":` + ofB + `,"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x1"}}}`, want: ImplicitDeny, lacking: resOnly},

	// Block Public Access.
	"BPA: public policy, named caller":     {page: pageBPA, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB) + "," + strings.Replace(to("Allow", ofEverybody), "ToAllow", "All", 1), restrict: true, want: ImplicitDeny, lacking: []Side{SideBlockPublicAccess}},
	"BPA: public policy, anonymous":        {page: pageBPA, caller: "anonymous", policy: to("Allow", ofEverybody), restrict: true, want: ImplicitDeny, lacking: []Side{SideBlockPublicAccess}},
	"BPA: public policy, own account":      {page: pageBPA, caller: "role A", policy: to("Allow", ofEverybody), restrict: true, want: Allowed},
	"BPA: public policy, service":          {page: pageBPA, caller: "service", policy: to("Allow", ofEverybody), restrict: true, want: Allowed},
	"BPA: policy not public":               {page: pageBPA, caller: "role B", identity: list(allowGet), policy: to("Allow", ofRoleB) + "," + to("Deny", `{"AWS":"333333333333"}`), restrict: true, want: Allowed},
	"BPA: not in effect":                   {page: pageBPA, caller: "anonymous", policy: to("Allow", ofEverybody), want: Allowed},
	"BPA: limited to an organization":      {page: pageBPA, caller: "role B", identity: list(allowGet), policy: `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}`, context: map[string][]string{"aws:PrincipalOrgID": {"o-1"}}, restrict: true, want: Allowed},
	"BPA: other services are not affected": {page: pageBPA, caller: "role B", action: "kms:Decrypt", resource: key1, identity: list(allowAll), policy: `{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}`, restrict: true, want: Allowed},
}
