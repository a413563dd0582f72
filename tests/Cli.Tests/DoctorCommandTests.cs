using System.Text.Json;

namespace SafeLlama.Cli.Tests;

internal sealed class DoctorCommandTests
{
    [Test]
    public void The_devices_are_listed()
    {
        var run = CommandRun.Of("doctor");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("cpu: cpu (").And.Contain("cuda: "));
    }

    [TestCase("train")]
    [TestCase("score")]
    [TestCase("doctor")]
    public void Help_says_that_no_gpu_has_run_the_kernels(string verb)
    {
        var help = CommandRun.Of(verb, "--help").Output;
        Assert.That(string.Join(' ', help.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)),
            Does.Contain("no GPU has run these kernels yet"));
    }

    [Test]
    public void A_deep_look_checks_every_op_and_a_whole_model()
    {
        var run = CommandRun.Of("doctor", "--deep", "--threads", "1", "--json");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        using var result = JsonDocument.Parse(run.Output);
        var checks = result.RootElement.GetProperty("checks").EnumerateArray().ToList();
        Assert.That(
            checks.Select(c => c.GetProperty("name").GetString()),
            Does.Contain("Attention").And.Contain("whole model, adapter gradients"));
        Assert.That(checks.Select(c => c.GetProperty("passed").GetBoolean()), Is.All.True);
    }

    [Test]
    public void A_deep_look_ends_with_how_many_passed()
    {
        var run = CommandRun.Of("doctor", "--deep", "--threads", "1");
        Assert.That(run.Output.TrimEnd().Split('\n')[^1], Does.Match(@"^(\d+) of \1 passed$"), run.Error);
    }

    [Test]
    public void A_device_that_is_not_there_is_one_line()
    {
        if (File.Exists("/dev/nvidia0"))
        {
            Assert.Ignore("this machine has an NVIDIA device");
        }

        var run = CommandRun.Of("doctor", "--deep", "--device", "cuda:bf16");
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error.Trim(), Is.EqualTo(
            "safellama: No CUDA device found: no NVIDIA driver is installed (libcuda was not found). Use --device cpu, "
            + "or "
            + "check the driver with nvidia-smi."));
    }
}
