using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

public sealed class ServeCommandTests
{
    private static readonly string Model = Path.Combine(TestFiles.Root, "assets", "miniature");

    [Test]
    [Category("Fault")]
    public async Task Killed_while_it_answers_and_started_again_it_answers_the_same()
    {
        var port = 0;
        var answers = new List<string>();
        for (var start = 0; start < 2; start++)
        {
            using var server = await Running.Start("--port", $"{port}", "--slots", "4");
            port = server.Address.Port;
            answers.Add(await server.Answer("Name a color."));
            var open = Enumerable.Range(0, 8).Select(i => server.Answer($"Explain number {i}.")).ToList();
            server.Process.Kill();
            foreach (var asked in open)
            {
                try
                {
                    await asked;
                }
                catch (HttpRequestException)
                {
                    // The connection went with the server; an answer that came before the kill is fine too.
                }
            }

            await server.Process.WaitForExitAsync();
        }

        Assert.That(answers[1], Is.EqualTo(answers[0]));
    }

    [Test]
    public async Task Asked_to_stop_it_ends_with_success()
    {
        Signals.RequireDelivered("TERM");
        using var server = await Running.Start("--port", "0");
        await server.Answer("Name a color.");
        using var kill = Process.Start("kill", $"-TERM {server.Process.Id}");
        await server.Process.WaitForExitAsync();
        Assert.That(server.Process.ExitCode, Is.Zero);
    }

    [Test]
    public void Other_machines_are_let_in_only_with_a_key() => Door.Refuses(
        ExitCode.Usage, "SAFELLAMA_API_KEY", "serve", "--model", Model, "--host", "0.0.0.0");

    [TestCase("--slots", "0")]
    [TestCase("--queue", "0")]
    [TestCase("--port", "99999")]
    [TestCase("--max-body", "1")]
    [TestCase("--temperature", "-1")]
    [TestCase("--grace", "-1")]
    [TestCase("--cors", "nothing")]
    [TestCase("--threshold", "0.5")]
    public void Settings_that_make_no_sense_are_refused(string flag, string value) =>
        Door.Refuses(ExitCode.Usage, flag, "serve", "--model", Model, flag, value);

    [Test]
    public void What_does_not_fit_is_refused_with_its_numbers()
    {
        var run = Door.Run("serve", "--model", Model, "--memory", "0.05", "--slots", "2000");
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.DoesNotFit));
        Assert.That(run.Error, Does.Contain("2000 slots of 256 tokens").And.Contain("--slots"));
    }

    [Test]
    public void A_judge_without_a_threshold_is_refused()
    {
        var run = Door.Run("serve", "--model", Model, "--judge", "refusal");
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(run.Error, Does.Contain("/v1/moderations"));
    }

    /// <summary>A log on a full disk takes nothing; the exit code is still the fault's.</summary>
    [Test]
    [Category("Fault")]
    public async Task A_log_that_takes_no_lines_ends_no_work()
    {
        if (!File.Exists("/dev/full"))
        {
            Assert.Ignore("there is no /dev/full here");
        }

        var program = Path.Combine(AppContext.BaseDirectory, "safellama.dll");
        using var shell = Process.Start(
            "sh", ["-c", $"dotnet '{program}' serve --model '{Model}' --slots 0 2>/dev/full"]);
        await shell.WaitForExitAsync();
        Assert.That(shell.ExitCode, Is.EqualTo((int)ExitCode.Usage));
    }

    /// <summary>The program as a process of its own.</summary>
    private sealed class Running : IDisposable
    {
        private readonly HttpClient _client;

        private Running(Process process, Uri address)
        {
            (Process, Address) = (process, address);
            _client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
        }

        public Process Process { get; }

        public Uri Address { get; }

        public static async Task<Running> Start(params string[] arguments)
        {
            var start = new ProcessStartInfo("dotnet")
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (var argument in (string[])
            [
                Path.Combine(AppContext.BaseDirectory, "safellama.dll"), "serve", "--model", Model, "--template",
                Path.Combine(Model, "template.json"),
                "--threads", "1", .. arguments,
            ])
            {
                start.ArgumentList.Add(argument);
            }

            var process = System.Diagnostics.Process.Start(start)!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            var line = await process.StandardOutput.ReadLineAsync()
                ?? throw new IOException("the server did not start");
            return new(process, new Uri(line.Split(" at ")[1]));
        }

        public async Task<string> Answer(string question)
        {
            using var response = await _client.PostAsJsonAsync("/v1/chat/completions", new
            {
                model = "miniature",
                messages = new[] { new { role = "user", content = question } },
            });
            var text = await response.Content.ReadAsStringAsync();
            Assert.That(response.IsSuccessStatusCode, text);
            return (string)JsonNode.Parse(text)!["choices"]![0]!["message"]!["content"]!;
        }

        public void Dispose()
        {
            _client.Dispose();
            if (!Process.HasExited)
            {
                Process.Kill();
            }

            Process.Dispose();
        }
    }
}
