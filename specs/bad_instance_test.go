package specs

// badInstances are errors in the instances of a consumer.
var badInstances = []badCase{
	{"instance with neither name nor id", instance("{type: t3.micro}"), `
shares/sales.yaml:17:11: the instance has neither name nor id: add name to launch one, or id to use one that exists`},
	{"instance with name and id", instance("{name: a, id: i-0123456789abcdef0}"), `
shares/sales.yaml:17:18: an instance given by id exists, so it takes no name: take name out, or id to launch a new one`},
	{"instance by id with all of a launch", instance("{id: i-0123456789abcdef0, image: ami-1234, type: t3.micro, subnet: subnet-1234, securityGroups: [sg-1234], keyName: k}"), `
shares/sales.yaml:17:44: an instance given by id exists, so it takes no image: take image out, or id to launch a new one
shares/sales.yaml:17:60: an instance given by id exists, so it takes no type: take type out, or id to launch a new one
shares/sales.yaml:17:78: an instance given by id exists, so it takes no subnet: take subnet out, or id to launch a new one
shares/sales.yaml:17:107: an instance given by id exists, so it takes no securityGroups: take securityGroups out, or id to launch a new one
shares/sales.yaml:17:127: an instance given by id exists, so it takes no keyName: take keyName out, or id to launch a new one`},
	{"instance id too short", instance("{id: i-1234}"), `
shares/sales.yaml:17:16: the instance id "i-1234" is no id of that kind: write one such as i-0123456789abcdef0`},
	{"instance id in upper case", instance("{id: i-0123456789ABCDEF0}"), `
shares/sales.yaml:17:16: the instance id "i-0123456789ABCDEF0" is no id of that kind: write one such as i-0123456789abcdef0`},
	{"instance name with a slash", instance("{name: a/b}"), `
shares/sales.yaml:17:18: the instance name "a/b" is not letters, digits, '.', '_' and '-', a letter or digit first: take the other characters out`},
	{"image misspelt", instance("{name: a, image: amazonlinux-2023}"), `
shares/sales.yaml:17:28: image "amazonlinux-2023" is not known: did you mean "amazon-linux-2023"?`},
	{"image of another system", instance("{name: a, image: ubuntu}"), `
shares/sales.yaml:17:28: image "ubuntu" is not known: write an id such as ami-0123456789abcdef0, or one of amazon-linux-2023, amazon-linux-2`},
	{"image without support", instance("{name: a, image: amazon-linux-2}"), `
shares/sales.yaml:17:28: warning: support of amazon-linux-2 ended on 2026-06-30: write amazon-linux-2023`},
	{"type without size", instance("{name: a, type: t3}"), `
shares/sales.yaml:17:27: the instance type "t3" is no instance type: write one such as t3.micro`},
	{"type empty", instance(`{name: a, type: ""}`), `
shares/sales.yaml:17:27: type is empty: write one, or take the field out`},
	{"instance region bad", instance("{name: a, region: us-east}"), `
shares/sales.yaml:17:29: "us-east" is no region of AWS's commercial, China or GovCloud partition: write one such as us-east-1`},
	{"subnet bad", instance("{name: a, subnet: private}"), `
shares/sales.yaml:17:29: subnet "private" is no id of that kind: write one such as subnet-0123456789abcdef0`},
	{"group bad", instance("{name: a, securityGroups: [default]}"), `
shares/sales.yaml:17:38: the security group "default" is no id of that kind: write one such as sg-0123456789abcdef0`},
	{"group twice", instance("{name: a, securityGroups: [sg-1234, sg-1234]}"), `
shares/sales.yaml:17:47: the security group "sg-1234" stands here twice, first at shares/sales.yaml:17:38: take one of the two out`},
	{"groups as a text", instance("{name: a, securityGroups: sg-1234}"), `
shares/sales.yaml:17:37: securityGroups is the text "sg-1234": write a list of texts`},
	{"key as a file", instance("{name: a, keyName: mykey.pem}"), `
shares/sales.yaml:17:30: keyName "mykey.pem" is a file name: write the key pair's name in EC2`},
	{"unknown field of an instance", instance("{name: a, securitygroup: [sg-1234]}"), `
shares/sales.yaml:17:21: an item of instances has no field "securitygroup": did you mean "securityGroups"?`},
	{"instance twice", instance("{name: a}\n        - {name: a}"), `
shares/sales.yaml:18:11: instance "a" stands here twice, first at shares/sales.yaml:17:11: take one of the two out`},
	{"instances as a mapping", share("access: [read]", "access: [read]\n      instances: {name: a}"), `
shares/sales.yaml:16:18: instances is a mapping: write a list`},
	{"instances of a lambda's role", instance("{name: a}").edit("trust: ec2", "trust: lambda"), `
shares/sales.yaml:17:9: instances cannot use role "reader", since lambda.amazonaws.com is trusted and not EC2: write trust: ec2, or take the instances out`},
	{"instances of an existing role without profile", instance("{name: a}").edit("        create: true\n        trust: ec2\n", ""), `
shares/sales.yaml:15:9: instances need an instance profile and role "reader" has none: add instanceProfile: true to the role, or the name of its profile`},
	{"instances and no profile", instance("{name: a}").edit("trust: ec2", "trust: ec2\n        instanceProfile: false"), `
shares/sales.yaml:18:9: instances need an instance profile and role "reader" has none: add instanceProfile: true to the role, or the name of its profile`},
}

// instance is the good share with an instance, in line 17.
func instance(text string) files {
	return share("access: [read]\n", "access: [read]\n      instances:\n        - "+text+"\n")
}
