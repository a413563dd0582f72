using System.Diagnostics;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

public sealed class LabCommandTests
{
    [Test]
    public async Task It_prints_an_address_that_answers_and_ends_with_success_when_asked()
    {
        Signals.RequireDelivered("TERM");
        using var lab = Start("lab", "--no-open", "--threads", "1");
        var line = await lab.StandardOutput.ReadLineAsync();
        Assert.That(line, Does.StartWith("The lab: http://127.0.0.1:"));
        using var client = new HttpClient();
        Assert.That(await client.GetStringAsync(new Uri(line!["The lab: ".Length..])), Does.Contain("<h1>Talk"));
        using var kill = Process.Start("kill", $"-TERM {lab.Id}");
        await lab.WaitForExitAsync();
        Assert.That(lab.ExitCode, Is.Zero);
    }

    [TestCase("--port", "70000")]
    [TestCase("--threads", "0")]
    public void Settings_that_make_no_sense_are_refused(string flag, string value) =>
        Door.Refuses(ExitCode.Usage, flag, "lab", "--no-open", flag, value);

    [Test]
    public void A_model_that_is_none_is_refused_before_a_browser_opens() =>
        Door.Refuses(ExitCode.Usage, "config.json", "lab", "--model", TestFiles.NewFolder());

    private static Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo(
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
        [Path.Combine(AppContext.BaseDirectory, "safellama.dll"), .. arguments])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
