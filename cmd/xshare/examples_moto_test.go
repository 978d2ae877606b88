package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xshare/xshare/internal/seed"
)

// exampleOnMoto starts a moto_server for this test, makes there what the
// example names as existing, and writes the ids that moto gave into the copy.
func exampleOnMoto(t *testing.T, dir string) *exampleRun {
	t.Helper()
	e := &exampleRun{dir: dir, endpoint: startMoto(t), keys: map[string]string{}}
	e.read(t)
	for _, a := range e.repo.Accounts {
		answer := e.query(t, "", "us-east-1", "sts", "AssumeRole", "RoleArn", "arn:aws:iam::"+a.ID+":role/by-hand", "RoleSessionName", "by-hand")
		e.keys[a.ID] = element(t, answer, "AccessKeyId")
	}
	ids := e.makeExisting(t)
	e.dir = t.TempDir()
	if err := os.CopyFS(e.dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	longestFirst := slices.SortedFunc(maps.Keys(ids), func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, id := range longestFirst {
		pairs = append(pairs, id, ids[id])
	}
	rename := strings.NewReplacer(pairs...)
	err := filepath.WalkDir(e.dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(file, []byte(rename.Replace(string(text))), 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	e.read(t)
	return e
}

// makeExisting makes what the sandbox would be seeded with. The answer is what
// moto calls the things of EC2, by the id that the specs have.
func (e *exampleRun) makeExisting(t *testing.T) map[string]string {
	t.Helper()
	existing := seed.Of(e.repo)
	for _, p := range existing.Policies {
		e.iam(t, p.Account, "CreatePolicy", "PolicyName", p.Name, "Path", cmp.Or(p.Path, "/"), "PolicyDocument", p.Document)
	}
	for _, r := range existing.Roles {
		e.iam(t, r.Account, "CreateRole", "RoleName", r.Name, "Path", cmp.Or(r.Path, "/"), "AssumeRolePolicyDocument", r.Trust)
	}
	for _, p := range existing.Profiles {
		e.iam(t, p.Account, "CreateInstanceProfile", "InstanceProfileName", p.Name)
		e.iam(t, p.Account, "AddRoleToInstanceProfile", "InstanceProfileName", p.Name, "RoleName", p.Role)
	}
	for _, b := range existing.Buckets {
		body := ""
		if b.Region != "us-east-1" {
			body = `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>` + b.Region + `</LocationConstraint></CreateBucketConfiguration>`
		}
		e.call(t, b.Account, b.Region, "s3", http.MethodPut, "/"+b.Name, body)
		// AWS's default, which moto does not give.
		e.call(t, b.Account, b.Region, "s3", http.MethodPut, "/"+b.Name+"?ownershipControls",
			`<OwnershipControls xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>`)
	}
	ids := map[string]string{}
	vpcs := map[string]string{}
	vpc := func(account, region string) string {
		key := account + "/" + region
		if vpcs[key] == "" {
			vpcs[key] = element(t, e.query(t, account, region, "ec2", "CreateVpc", "CidrBlock", "10.0.0.0/16"), "vpcId")
		}
		return vpcs[key]
	}
	for i, s := range existing.Subnets {
		ids[s.ID] = element(t, e.query(t, s.Account, s.Region, "ec2", "CreateSubnet", "VpcId", vpc(s.Account, s.Region),
			"CidrBlock", fmt.Sprintf("10.0.%d.0/24", i)), "subnetId")
	}
	for _, g := range existing.SecurityGroups {
		ids[g.ID] = element(t, e.query(t, g.Account, g.Region, "ec2", "CreateSecurityGroup", "VpcId", vpc(g.Account, g.Region),
			"GroupName", g.ID, "GroupDescription", g.ID), "groupId")
	}
	for _, k := range existing.Keys {
		e.query(t, k.Account, k.Region, "ec2", "CreateKeyPair", "KeyName", k.Name)
	}
	image := func(account, region, name string) string {
		return element(t, e.query(t, account, region, "ec2", "RegisterImage", "Name", name), "imageId")
	}
	for _, i := range existing.Images {
		ids[i.ID] = image(i.Account, i.Region, i.ID)
	}
	for _, i := range existing.Instances {
		ids[i.ID] = element(t, e.query(t, i.Account, i.Region, "ec2", "RunInstances", "MinCount", "1", "MaxCount", "1",
			"ImageId", image(i.Account, i.Region, "of-"+i.ID)), "instanceId")
	}
	return ids
}

// element is the text of the first XML element of that name.
func element(t *testing.T, answer, name string) string {
	t.Helper()
	m := regexp.MustCompile("<" + name + ">([^<]+)</" + name + ">").FindStringSubmatch(answer)
	if m == nil {
		t.Fatalf("no %s in %s", name, answer)
	}
	return m[1]
}

// startMoto runs a moto_server for one test, on a free port, until it answers.
// Where it is not installed the test is skipped, or fails if
// XSHARE_REQUIRE_MOTO is set. Somebody else may take the port first; then
// another is tried.
func startMoto(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("moto_server")
	if err != nil {
		if os.Getenv("XSHARE_REQUIRE_MOTO") != "" {
			t.Fatal("moto_server is not on PATH, and XSHARE_REQUIRE_MOTO is set: install moto 5 (pip install 'moto[server]')")
		}
		t.Skip("moto_server is not on PATH: the examples run on the sandbox only")
	}
	for range 3 {
		var endpoint string
		if endpoint, err = tryMoto(t, program); err == nil {
			return endpoint
		}
	}
	t.Fatal(err)
	return ""
}

func tryMoto(t *testing.T, program string) (string, error) {
	t.Helper()
	// Below the ports that outgoing connections get: one of those could be a
	// connection to itself, which looks like a server.
	port := strconv.Itoa(20000 + rand.IntN(10000))
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return "", err
	}
	if err := l.Close(); err != nil {
		return "", err
	}
	log := &bytes.Buffer{}
	cmd := exec.Command(program, "-H", "127.0.0.1", "-p", port)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return "", err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it ends by being killed
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // an error: it has ended already
		<-ended
	})
	endpoint := "http://127.0.0.1:" + port
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); ; {
		if resp, err := http.Get(endpoint + "/moto-api/data.json"); err == nil {
			return endpoint, resp.Body.Close()
		}
		select {
		case <-ended:
			return "", fmt.Errorf("moto_server ended at once:\n%s", log)
		case <-deadline:
			return "", errors.New("moto_server does not answer within a minute")
		case <-tick.C:
		}
	}
}
