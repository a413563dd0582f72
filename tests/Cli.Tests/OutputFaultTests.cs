using System.Diagnostics;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>Outputs that take nothing, and inputs that are not there.</summary>
public sealed class OutputFaultTests
{
    [Test]
    [Category("Fault")]
    public void A_full_disk_behind_stdout_is_told_as_one()
    {
        if (!File.Exists("/dev/full"))
        {
            Assert.Ignore("there is no /dev/full here");
        }

        var program = Path.Combine(AppContext.BaseDirectory, "safellama.dll");
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", $"dotnet '{program}' --help >/dev/full"])
        {
            RedirectStandardError = true,
        })!;
        var error = shell.StandardError.ReadToEnd();
        shell.WaitForExit();
        Assert.That(shell.ExitCode, Is.EqualTo((int)ExitCode.Failure));
        Assert.That(error, Does.Contain("standard output: no space is left").And.Not.Contain("unexpected"));
    }

    [TestCase("nothing", "is a link to nothing, where there is nothing")]
    [TestCase("model", "is a link to model, where there is nothing", Description = "a link to itself")]
    public void A_model_that_is_a_link_to_nothing_is_told_as_one(string target, string told)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("links need a privilege on Windows");
        }

        var link = Path.Combine(TestFiles.NewFolder(), "model");
        File.CreateSymbolicLink(link, target);
        Door.Refuses(ExitCode.Usage, told, "generate", "--model", link, "--prompt", "Which tea?");
    }
}
