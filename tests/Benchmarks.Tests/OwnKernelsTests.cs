using System.Diagnostics;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Benchmarks.Tests;

/// <summary>A library of a user's kernels, compiled from C, beside ours.</summary>
internal sealed class OwnKernelsTests
{
    private string _folder = "";

    [SetUp]
    public void Only_where_there_is_a_compiler()
    {
        if (!File.Exists("/usr/bin/cc"))
        {
            Assert.Ignore("a C compiler (/usr/bin/cc) makes the library; there is none");
        }

        _folder = Directory.CreateTempSubdirectory("own").FullName;
    }

    [TearDown]
    public void Remove_the_folder()
    {
        if (_folder.Length > 0)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Test]
    public void The_example_is_checked_timed_and_what_it_lacks_is_told()
    {
        var table = Run(Example());
        Assert.That(table, Does.Contain("| swiglu_forward |").And.Contain("| linear_forward, q |"));
        Assert.That(table, Does.Contain("Left out, NULL in the table: linear_backward_input, q").And
            .Contain("rms_norm_forward"));
    }

    [TestCase("* up[i]", "* up[i] * 1.001f", "differs from ours by")]
    [TestCase("* up[i];", "* up[i]; y[(size_t)rows * dim] = 0;", "writes behind the end of its output")]
    [TestCase("* up[i];", "* up[i]; ((float *)up)[0] = 0;", "changes its inputs")]
    public void A_wrong_kernel_is_refused(string right, string wrong, string expected)
    {
        var spoiled = Example().Replace(right, wrong, StringComparison.Ordinal);
        Assert.That(spoiled, Is.Not.EqualTo(Example()));
        var fault = Assert.Throws<SafeLlamaException>(() => Run(spoiled))!;
        Assert.That(fault.Message, Does.StartWith("swiglu_forward: yours").And.Contain(expected));
    }

    [Test]
    public void A_library_without_the_table_is_refused()
    {
        var fault = Assert.Throws<SafeLlamaException>(() => Run("int other(void) { return 1; }"))!;
        Assert.That(fault.Message, Does.Contain("exports no function safellama_ops"));
    }

    [Test]
    public void A_file_that_is_no_library_is_refused()
    {
        var file = Path.Combine(_folder, "text.so");
        File.WriteAllText(file, "text");
        var fault = Assert.Throws<SafeLlamaException>(() => { using var own = new OwnKernels(file); })!;
        Assert.That(fault.Message, Does.Contain("cannot be loaded"));
    }

    private static string Peers => Path.Combine(TestFiles.Root, "benchmarks", "peers", "own");

    private static string Example() => File.ReadAllText(Path.Combine(Peers, "example.c"));

    private string Run(string source)
    {
        var (code, library) = (Path.Combine(_folder, "own.c"), Path.Combine(_folder, "libown.so"));
        File.WriteAllText(code, source);
        using var compiler = Process.Start(
            "/usr/bin/cc", ["-O3", "-march=native", "-shared", "-fPIC", $"-I{Peers}", code, "-o", library, "-lm"]);
        compiler.WaitForExit();
        Assert.That(compiler.ExitCode, Is.Zero);
        using var own = new OwnKernels(library);
        using var writer = new StringWriter();
        new AgainstTable(own, ModelShapes.Tiny.Resized(1, 16, 0, 0), rounds: 5).Print(writer);
        return writer.ToString();
    }
}
