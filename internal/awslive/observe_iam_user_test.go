package awslive

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/plan"
)

// A user is read with all that it may do: what hangs on it, on its groups, and
// its boundary; and nobody else is.
func TestObserveUser(t *testing.T) {
	both(t, func(t *testing.T, b *backend) {
		ctx, api := t.Context(), b.raw(t, consumer).iam()
		document := func(action string) string {
			return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`
		}
		arns := map[string]string{}
		for _, name := range []string{"own", "groups", "limit", "others"} {
			out, err := api.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: aws.String(document("s3:Get" + name))})
			must(t, err)
			arns[name] = *out.Policy.Arn
		}
		made, err := api.CreateUser(ctx, &iam.CreateUserInput{
			UserName: aws.String("ann"), Path: aws.String("/team/"), PermissionsBoundary: aws.String(arns["limit"]), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("data")}},
		})
		must(t, err)
		_, err = api.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("bob")})
		must(t, err)
		_, err = api.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("ann"), PolicyArn: aws.String(arns["own"])})
		must(t, err)
		_, err = api.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("bob"), PolicyArn: aws.String(arns["others"])})
		must(t, err)
		_, err = api.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("ann"), PolicyName: aws.String("in"), PolicyDocument: aws.String(document("s3:ListBucket"))})
		must(t, err)
		for _, name := range []string{"readers", "empty", "strangers"} {
			_, err = api.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &name})
			must(t, err)
			if name != "strangers" {
				_, err = api.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &name, UserName: aws.String("ann")})
				must(t, err)
			}
		}
		_, err = api.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: aws.String("readers"), PolicyArn: aws.String(arns["groups"])})
		must(t, err)
		_, err = api.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: aws.String("readers"), PolicyName: aws.String("in"), PolicyDocument: aws.String(document("s3:PutObject"))})
		must(t, err)

		snap := seen(t, b.client(t), plan.Want{Account: consumer, Users: []string{"ann", "nobody"}})
		want := map[string]*plan.LiveUser{"ann": {
			Name: "ann", Path: "/team/", ARN: "arn:aws:iam::" + consumer + ":user/team/ann", UniqueID: *made.User.UserId, Boundary: arns["limit"],
			Tags: map[string]string{"team": "data"}, Attached: []string{arns["own"]}, Inline: map[string][]byte{"in": []byte(document("s3:ListBucket"))},
			Groups: []plan.LiveGroup{{Name: "empty"}, {Name: "readers", Attached: []string{arns["groups"]}, Inline: map[string][]byte{"in": []byte(document("s3:PutObject"))}}},
		}}
		bounded := []string{"own", "groups", "limit"}
		if b.sandbox == nil { // moto leaves a user's boundary out of the bulk read
			want["ann"].Boundary, bounded = "", bounded[:2]
		}
		if diff := cmp.Diff(want, snap.Users); diff != "" {
			t.Errorf("users (-want +got):\n%s", diff)
		}
		for _, name := range bounded {
			if p := snap.Policies[arns[name]]; p == nil || string(p.Document) != document("s3:Get"+name) {
				t.Errorf("policy %s: %+v", name, p)
			}
		}
		if snap.Policies[arns["others"]] != nil || len(snap.Failures) > 0 {
			t.Errorf("policies %v, failures %v", snap.Policies, snap.Failures)
		}
		// Who does not ask about users does not read them.
		if snap := observe(t, b.client(t), plan.Want{Account: consumer, IAM: true}); snap.Users != nil {
			t.Errorf("users %v", snap.Users)
		}
	})
}

// AWS's own policies of a user and of its groups, which the bulk read leaves out.
func TestObserveUserWithPoliciesOfAWS(t *testing.T) {
	b := onSandbox(t)
	ctx, api := t.Context(), b.raw(t, consumer).iam()
	const own, groups = "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
	_, err := api.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("ann"), PermissionsBoundary: aws.String(own)})
	must(t, err)
	_, err = api.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("g")})
	must(t, err)
	_, err = api.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: aws.String("g"), UserName: aws.String("ann")})
	must(t, err)
	_, err = api.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: aws.String("g"), PolicyArn: aws.String(groups)})
	must(t, err)
	snap := seen(t, b.client(t), plan.Want{Account: consumer, Users: []string{"ann"}})
	if snap.Managed[own] == nil || snap.Managed[groups] == nil || len(snap.Managed) != 2 {
		t.Errorf("AWS's policies %v", snap.Managed)
	}
}

// A group that the read does not have is not taken for one without policies.
func TestGroupThatIsNotRead(t *testing.T) {
	var p people
	p.add([]string{"ann"}, []types.UserDetail{{UserName: aws.String("ann"), GroupList: []string{"old", "new"}}}, []types.GroupDetail{{GroupName: aws.String("old")}})
	want := []plan.LiveGroup{{Name: "new", Unread: true}, {Name: "old"}}
	if diff := cmp.Diff(want, p.live()["ann"].Groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}
