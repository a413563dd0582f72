using System.Reflection;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>The benchmarks keep the same limit; they are built with these tests and read where they lie.</summary>
public sealed class BenchmarkParameterTests
{
    [Test]
    public void No_member_of_the_benchmarks_has_more_than_eight_parameters()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        var (framework, configuration) = (folder.Name, folder.Parent!.Name);
        ParameterCountTests.Check([Assembly.LoadFrom(Path.Combine(
            TestFiles.Root, "benchmarks", "bin", configuration, framework, "SafeLlama.Benchmarks.dll"))]);
    }
}
