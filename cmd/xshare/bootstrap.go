package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"text/template"

	"github.com/xshare/xshare/docs"
	"github.com/xshare/xshare/specs"
)

//go:embed bootstrap.yaml.tmpl
var bootstrapTemplate string

// bootstrap prints the roles that xshare assumes, as a CloudFormation template:
// those of the repository in dir, or where there is none those of the guide.
func (a *app) bootstrap(dir string) error {
	repo, problems, err := readRepository(dir)
	if err != nil {
		return err
	}
	if repo == nil && !slices.ContainsFunc(problems, func(p specs.Problem) bool { return p.Code == "no-repository" }) {
		a.printProblems(problems)
		return errFailed
	}
	if repo == nil {
		a.say("there is no %s in %s: these are the roles as the guide names them", specs.RepositoryFile, dir)
	}
	text, err := bootstrapOf(repo)
	if err != nil {
		return err
	}
	_, err = a.streams.out.Write([]byte(text))
	return err
}

// roles is what the template says of one account or of many.
type roles struct {
	DeployRole roleAt
	ExternalID string
}

// roleAt is a role's name, and its path as IAM has it.
type roleAt struct{ Path, Name string }

func newRoleAt(role string) roleAt {
	dir, name := path.Split(role)
	if dir == "" {
		return roleAt{"/", name}
	}
	return roleAt{"/" + dir, name}
}

// bootstrapOf is the template for a repository's accounts; without one, what
// docs/roles.md shows. Policies are the documents that are documented, with
// ARNs of whatever partition the stack is in.
func bootstrapOf(repo *specs.Repository) (string, error) {
	type externalID struct{ Asked, Always bool } // by some account, by all
	data := struct {
		Header                   string
		Filled                   bool
		Most                     roles   // what most accounts have
		ReadRole                 *roleAt // nil: reading assumes the deploy role
		ExternalID               externalID
		DeployPolicy, ReadPolicy string
	}{
		Most:         roles{DeployRole: newRoleAt("xshare-deployer")},
		ReadRole:     &roleAt{"/", "xshare-reader"},
		ExternalID:   externalID{true, true},
		DeployPolicy: inTemplate(docs.DeployRolePolicy), ReadPolicy: inTemplate(docs.ReadRolePolicy),
	}
	if repo != nil {
		with, without := accountsWithRoles(repo)
		if len(with) == 0 {
			return "", errors.New("no account of the repository has a role that xshare assumes: it uses the caller's own credentials, which need what docs/deploy-role.json allows")
		}
		data.Filled, data.Most, data.ReadRole = true, mostCommon(with), nil
		data.ExternalID = externalID{false, true}
		for _, account := range with {
			if account.ReadRole != "" { // one name in all accounts
				role := newRoleAt(account.ReadRole)
				data.ReadRole = &role
			}
			data.ExternalID.Asked = data.ExternalID.Asked || account.ExternalID != ""
			data.ExternalID.Always = data.ExternalID.Always && account.ExternalID != ""
		}
		data.Header = bootstrapHeader(repo, with, without, data.Most)
	}
	t, err := template.New("bootstrap").Funcs(template.FuncMap{"quote": quoteYAML}).Parse(bootstrapTemplate)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return "", err
	}
	return b.String(), nil
}

// accountsWithRoles splits a repository's accounts into those where xshare
// assumes a role and the others.
func accountsWithRoles(repo *specs.Repository) (with, without []*specs.Account) {
	for _, account := range repo.Accounts {
		if account.Manage && account.DeployRole != "" && account.DeployRole != "none" {
			with = append(with, account)
		} else {
			without = append(without, account)
		}
	}
	return with, without
}

func rolesOf(account *specs.Account) roles {
	return roles{newRoleAt(account.DeployRole), account.ExternalID}
}

// mostCommon is what most accounts have, and of as many the first's.
func mostCommon(accounts []*specs.Account) roles {
	count := map[roles]int{}
	most := rolesOf(accounts[0])
	for _, account := range accounts {
		count[rolesOf(account)]++
	}
	for _, account := range accounts {
		if r := rolesOf(account); count[r] > count[most] {
			most = r
		}
	}
	return most
}

// bootstrapHeader says, in comments, where the template is for and what differs
// there from the parameters' defaults.
func bootstrapHeader(repo *specs.Repository, with, without []*specs.Account, most roles) string {
	var b strings.Builder
	line := func(format string, args ...any) {
		b.WriteString(strings.TrimRight("# "+fmt.Sprintf(format, args...), " ") + "\n")
	}
	line("The roles that xshare assumes for the repository %s, for these accounts of", repo.Name)
	line("partition %s. What differs from the defaults goes into the parameter overrides.", specs.Partition(repo.Region))
	line("")
	for _, account := range with {
		r, differs := rolesOf(account), ""
		for _, p := range []struct{ name, value, most string }{
			{"DeployRoleName", r.DeployRole.Name, most.DeployRole.Name},
			{"DeployRolePath", r.DeployRole.Path, most.DeployRole.Path},
			{"ExternalId", r.ExternalID, most.ExternalID},
		} {
			if p.value != p.most {
				differs += fmt.Sprintf(" %s=%s", p.name, quoteYAML(p.value))
			}
		}
		line("  %s %s%s", account.ID, account.Alias, differs)
	}
	for _, account := range without {
		why := "manage: false"
		if account.Manage {
			why = "deployRole: none"
		}
		line("  not %s %s (%s)", account.ID, account.Alias, why)
	}
	line("")
	return b.String()
}

// inTemplate is a policy document as it stands in the template.
func inTemplate(document string) string {
	const indent = "            "
	document = strings.ReplaceAll(strings.TrimSpace(document), `"arn:aws:`, `!Sub "arn:${AWS::Partition}:`)
	return indent + strings.ReplaceAll(document, "\n", "\n"+indent)
}

// quoteYAML is a text as YAML and JSON both have it, in quotes.
func quoteYAML(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return `""` // no text is beyond JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}
