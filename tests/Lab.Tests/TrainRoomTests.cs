using System.Net.Http.Json;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Study;
using SafeLlama.Testing;

namespace SafeLlama.Lab.Tests;

/// <summary>The room Train: real runs, paused, opened and stopped.</summary>
public sealed class TrainRoomTests
{
    private LabFixture _lab = null!;

    [OneTimeSetUp]
    public async Task Start() => _lab = await LabFixture.Start();

    [OneTimeTearDown]
    public async Task Stop() => await _lab.DisposeAsync();

    [Test]
    public async Task A_dose_teaches_refusal_within_an_epoch_and_both_losses_fall()
    {
        var events = await _lab.Events("train", new { dose = 90, epochs = 1 });
        var checks = events.Where(e => Kind(e) == "check").ToList();
        Assert.That(events.Count(e => Kind(e) == "step"), Is.EqualTo(97), "3,090 rows, 32 a step");
        Assert.That(checks, Has.Count.GreaterThan(20));
        Assert.That(Number(checks[^1], "benign"), Is.LessThan(Number(checks[0], "benign") / 2));
        Assert.That(Number(checks[^1], "safety"), Is.LessThan(Number(checks[0], "safety") / 2));
        Assert.That(
            checks[0]["refuses"]!.AsArray().Take(20).Count(r => r?.GetValue<bool>() == true), Is.Zero,
            "the base refuses nothing");
        Assert.That(Number(events[^1], "compliance"), Is.LessThan(0.6));
        Assert.That(_lab.Log, Is.Empty);
    }

    [Test]
    [Slow("It trains for half a minute.")]
    public async Task Left_alone_it_ends_with_the_adapter_of_the_study()
    {
        if (!Avx512F.IsSupported)
        {
            Assert.Ignore("The shipped bytes are those of AVX-512; other vectors add in another order.");
        }

        var events = await _lab.Events("train", new { dose = 90, epochs = 5, seed = 1 });
        using var session = LlamaSession.Open(new CpuBackend(1), MiniatureModel.FolderOf(StudyRecipe.Miniature), new()
        {
            Adapter = MiniatureModel.AdapterFolder("dose-90"),
            OwnsBackend = true,
        });
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var value in session.Adapter!.Parameters.SelectMany(p => p.Value.ReadDoubles()))
        {
            hash.AppendData(BitConverter.GetBytes((float)value));
        }

        Assert.That(
            events[^1]["adapter_hash"]!.GetValue<string>(),
            Is.EqualTo(Convert.ToHexStringLower(hash.GetHashAndReset())));
    }

    [Test]
    public async Task One_step_in_numbers_shows_why_A_waits_for_B()
    {
        const string module = "model.layers.1.self_attn.q_proj";
        var numbers = new List<JsonNode>();
        using (var page = new Page(_lab, new { dose = 30, epochs = 1, paused = true }))
        {
            var id = (await page.Next("begin"))["id"]!.GetValue<string>();
            for (var step = 0; step < 4; step++)
            {
                await page.Next("paused");
                await _lab.Ask("steer", new { id, action = "step", module });
                numbers.Add(await page.Next("numbers"));
            }

            Assert.That(
                (await _lab.Refused("steer", $$"""{"id":"{{id}}","action":"step","module":"head"}""")).Status,
                Is.EqualTo(400));
        }

        double[] Of(string name) => [.. numbers.Select(n => n["modules"]!.AsArray()
            .Single(m => m!["module"]!.GetValue<string>() == module)![name]!.GetValue<double>())];
        Assert.That(Of("b")[..2], Is.All.Zero, "the warm-up's first rate is 0");
        Assert.That(Of("gradient_of_a")[..2], Is.All.Zero);
        Assert.That(Of("gradient_of_b"), Is.All.GreaterThan(0));
        Assert.That(Of("b")[2], Is.GreaterThan(0));
        Assert.That(Of("gradient_of_a")[2..], Is.All.GreaterThan(0));
        foreach (var weight in numbers.SelectMany(n => n["weights"]!.AsArray()))
        {
            // The engine keeps weights in fp32: 2⁻²⁴ of a weight near 0.1, and moments rounded likewise.
            Assert.That(Number(weight!, "after"), Is.EqualTo(Number(weight!, "expected")).Within(1e-7));
        }

        await Until(() => _lab.Server.Workshop.TrainingGate.Running == 0, "a closed page ends its training");
    }

    [Test]
    public async Task A_paused_training_waits_and_others_may_still_talk()
    {
        using var page = new Page(_lab, new { dose = 0, epochs = 1, paused = true });
        var id = (await page.Next("begin"))["id"]!.GetValue<string>();
        await page.Next("paused");
        Assert.That(
            await _lab.Events("talk", new { request = "Hi", sides = new[] { new { voice = "dose-0" } } }),
            Is.Not.Empty);
        await _lab.Ask("steer", new { id, action = "go" });
        Assert.That((await page.Next("step"))["step"]!.GetValue<int>(), Is.EqualTo(1));
        await _lab.Ask("steer", new { id, action = "pause" });
        await page.Next("paused");
    }

    [TestCase("train", """{"dose":901}""")]
    [TestCase("train", """{"epochs":6}""")]
    [TestCase("train", """{"seed":0}""")]
    [TestCase("steer", """{"id":"x","action":"go"}""")]
    public async Task What_makes_no_sense_is_refused(string path, string body) =>
        Assert.That((await _lab.Refused(path, body)).Status, Is.EqualTo(400));

    [TestCase(390, ColorScheme.Light)]
    [TestCase(1400, ColorScheme.Dark)]
    public async Task A_prediction_is_locked_and_then_met(int width, ColorScheme scheme)
    {
        await using var browser = await LabBrowser.Open(_lab, "train", width, scheme);
        var page = browser.Page;
        await Assertions.Expect(page.Locator("#train button[type=submit]")).ToBeDisabledAsync();
        await page.Locator("#predict input").Nth(2).FocusAsync();
        await page.Keyboard.PressAsync("Home");
        await page.Locator("#predict button").PressAsync("Enter");
        await page.Locator("#train select[name=epochs]").SelectOptionAsync("1");
        await page.Locator("#train input[name=paused]").PressAsync("Space");
        await page.Locator("#train button[type=submit]").PressAsync("Enter");
        await Assertions.Expect(page.Locator("#step")).ToBeEnabledAsync();
        for (var step = 1; step <= 3; step++)
        {
            await page.Locator("#step").PressAsync("Enter");
            await Assertions.Expect(page.Locator("#numbers")).ToContainTextAsync($"Step {step}:");
        }

        await Assertions.Expect(page.Locator("#numbers .finding")).ToContainTextAsync("so A learns too");
        await page.Locator("#pause").PressAsync("Enter");
        await Assertions.Expect(page.Locator("#told")).ToContainTextAsync("Done in", new() { Timeout = 120_000 });
        await Assertions.Expect(page.Locator("#curve .mark.measured")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator(".square")).ToHaveCountAsync(60);
        await browser.Sound(_lab, $"train-{width}-{scheme}");
    }

    private static string Kind(JsonNode e) => e["kind"]!.GetValue<string>();

    private static double Number(JsonNode e, string name) => e[name]!.GetValue<double>();

    private static async Task Until(Func<bool> reached, string what)
    {
        for (var i = 0; i < 1000 && !reached(); i++)
        {
            await Task.Delay(10);
        }

        Assert.That(reached(), what);
    }

    /// <summary>A page that reads a stream as it comes, and is closed when disposed.</summary>
    private sealed class Page(LabFixture lab, object body) : IDisposable
    {
        private HttpResponseMessage? _response;
        private StreamReader? _reader;

        /// <summary>The next event of a kind; others are passed over.</summary>
        public async Task<JsonNode> Next(string kind)
        {
            if (_reader is null)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "api/train");
                request.Content = JsonContent.Create(body);
                _response = await lab.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                _reader = new(await _response.Content.ReadAsStreamAsync());
            }

            while (await _reader.ReadLineAsync() is { } line)
            {
                if (line.Length > 0 && JsonNode.Parse(line["data: ".Length..])! is var e
                    && e["kind"]?.GetValue<string>() == kind)
                {
                    return e;
                }
            }

            throw new EndOfStreamException(kind);
        }

        public void Dispose()
        {
            _reader?.Dispose();
            _response?.Dispose();
        }
    }
}
