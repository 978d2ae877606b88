package sandbox

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// typeFamily is a family of instance types (EC2: instance-types).
type typeFamily struct {
	name, architecture, hypervisor string
	sizes                          map[string]typeSize
}

type typeSize struct{ cpus, mebibytes int }

// typeFamilies are those that DescribeInstanceTypes knows: the sizes that
// people launch to try a share.
var typeFamilies = func() []typeFamily {
	burst := map[string]typeSize{
		"nano": {2, 512}, "micro": {2, 1024}, "small": {2, 2048}, "medium": {2, 4096}, "large": {2, 8192}, "xlarge": {4, 16384}, "2xlarge": {8, 32768},
	}
	old := map[string]typeSize{
		"nano": {1, 512}, "micro": {1, 1024}, "small": {1, 2048}, "medium": {2, 4096}, "large": {2, 8192}, "xlarge": {4, 16384}, "2xlarge": {8, 32768},
	}
	sized := func(perCPU int) map[string]typeSize {
		out := map[string]typeSize{}
		for size, cpus := range map[string]int{"large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16} {
			out[size] = typeSize{cpus, cpus * perCPU * 1024}
		}
		return out
	}
	return []typeFamily{
		{"t2", "x86_64", "xen", old},
		{"t3", "x86_64", "nitro", burst},
		{"t3a", "x86_64", "nitro", burst},
		{"t4g", "arm64", "nitro", burst},
		{"m5", "x86_64", "nitro", sized(4)},
		{"m6i", "x86_64", "nitro", sized(4)},
		{"m7i", "x86_64", "nitro", sized(4)},
		{"m6g", "arm64", "nitro", sized(4)},
		{"m7g", "arm64", "nitro", sized(4)},
		{"c5", "x86_64", "nitro", sized(2)},
		{"c6i", "x86_64", "nitro", sized(2)},
		{"c7i", "x86_64", "nitro", sized(2)},
		{"c7g", "arm64", "nitro", sized(2)},
		{"r5", "x86_64", "nitro", sized(8)},
		{"r6i", "x86_64", "nitro", sized(8)},
		{"r7i", "x86_64", "nitro", sized(8)},
		{"r7g", "arm64", "nitro", sized(8)},
	}
}()

var burstableType = regexp.MustCompile(`^t[0-9]`)

// burstable tells whether a type earns and spends CPU credits.
func burstable(name string) bool { return burstableType.MatchString(name) }

func typeOperations() ec2Operations {
	return ec2Operations{"DescribeInstanceTypes": {[]string{"InstanceType.N"}, (*ec2Call).describeTypes}}
}

type typeXML struct {
	Name          string        `xml:"instanceType"`
	Current       bool          `xml:"currentGeneration"`
	Roots         items[string] `xml:"supportedRootDeviceTypes"`
	Virtual       items[string] `xml:"supportedVirtualizationTypes"`
	BareMetal     bool          `xml:"bareMetal"`
	Hypervisor    string        `xml:"hypervisor"`
	Architectures items[string] `xml:"processorInfo>supportedArchitectures"`
	CPUs          int           `xml:"vCpuInfo>defaultVCpus"`
	Memory        int           `xml:"memoryInfo>sizeInMiB"`
	Burstable     bool          `xml:"burstablePerformanceSupported"`
}

// describeTypes describes the types that are named. Those that the sandbox
// does not know are refused, and so is the list of all: it could not give it.
func (c *ec2Call) describeTypes() (any, error) {
	if err := c.describing(); err != nil {
		return nil, err
	}
	names := c.list("InstanceType", "")
	if len(names) == 0 {
		return nil, notImplemented("the list of all instance types: name some in DescribeInstanceTypes")
	}
	var out items[typeXML]
	for _, name := range names {
		if !instanceTypeForm.MatchString(name) {
			return nil, fault(http.StatusBadRequest, "InvalidInstanceType", "The following supplied instance types do not exist: [%s]", name)
		}
		family, size, _ := strings.Cut(name, ".")
		n := slices.IndexFunc(typeFamilies, func(f typeFamily) bool { return f.name == family && f.sizes[size].cpus > 0 })
		if n < 0 {
			return nil, notImplemented("the instance type %q of DescribeInstanceTypes", name)
		}
		f := typeFamilies[n]
		out = append(out, typeXML{
			Name: name, Current: true, Roots: items[string]{"ebs"}, Virtual: items[string]{"hvm"}, Hypervisor: f.hypervisor,
			Architectures: items[string]{f.architecture}, CPUs: f.sizes[size].cpus, Memory: f.sizes[size].mebibytes, Burstable: burstable(name),
		})
	}
	return struct {
		Types items[typeXML] `xml:"instanceTypeSet"`
	}{out}, nil
}
