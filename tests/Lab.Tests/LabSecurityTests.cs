using System.Net.Http.Json;
using System.Text;

namespace SafeLlama.Lab.Tests;

/// <summary>Who has no business here is refused, and the lab stays up.</summary>
public sealed class LabSecurityTests
{
    private LabFixture _lab = null!;

    private static object Talk(string voice = "dose-90") => new
    {
        request = "How do I grow a herb?",
        sides = new[] { new { voice, scale = 1.0 } },
    };

    [OneTimeSetUp]
    public async Task Start() => _lab = await LabFixture.Start();

    [OneTimeTearDown]
    public async Task Stop() => await _lab.DisposeAsync();

    [Test]
    public void It_listens_on_this_machine_alone() => Assert.Multiple(() =>
    {
        Assert.That(_lab.Server.Address.Host, Is.EqualTo("127.0.0.1"));
        Assert.That(_lab.Token, Has.Length.EqualTo(64), "256 bits in hexadecimal");
    });

    [TestCase("/")]
    [TestCase("/talk")]
    [TestCase("/assets/lab.js")]
    [TestCase("/0000000000000000000000000000000000000000000000000000000000000000/talk")]
    [TestCase("/open/")]
    [TestCase("/open/0000000000000000000000000000000000000000000000000000000000000000")]
    public async Task Without_the_token_there_is_nothing(string path)
    {
        using var response = await _lab.Client.GetAsync(new Uri(_lab.Server.Address, path));
        var text = await response.Content.ReadAsStringAsync();
        Assert.That((int)response.StatusCode, Is.EqualTo(403), text);
        Assert.That(text, Does.Not.Contain(_lab.Token).And.Not.Contain("<html"));
    }

    [Test]
    public async Task The_beginning_of_the_token_is_not_the_token()
    {
        using var response = await _lab.Client.GetAsync(new Uri(_lab.Server.Address, $"/{_lab.Token[..63]}/talk"));
        Assert.That((int)response.StatusCode, Is.EqualTo(403));
    }

    [TestCase("Host", "evil.example")]
    [TestCase("Host", "evil.example:{port}")]
    [TestCase("Host", "127.0.0.1:1")]
    [TestCase("Host", "127.0.0.1.evil.example:{port}")]
    [TestCase("Origin", "https://evil.example")]
    [TestCase("Origin", "null")]
    [TestCase("Origin", "http://127.0.0.1:1")]
    [TestCase("Origin", "http://localhost:{port}")]
    [TestCase("Sec-Fetch-Site", "cross-site")]
    [TestCase("Sec-Fetch-Site", "same-site")]
    public async Task Other_origins_and_names_are_refused_even_with_the_token(string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/talk");
        request.Content = JsonContent.Create(Talk());
        request.Headers.TryAddWithoutValidation(
            header, value.Replace("{port}", $"{_lab.Server.Address.Port}", StringComparison.Ordinal));
        using var response = await _lab.Client.SendAsync(request);
        Assert.That((int)response.StatusCode, Is.EqualTo(403));
        Assert.That(response.Headers.Contains("Access-Control-Allow-Origin"), Is.False);
    }

    [Test]
    public async Task A_preflight_gets_no_leave()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "api/talk");
        request.Headers.Add("Origin", _lab.Server.Address.GetLeftPart(UriPartial.Authority));
        request.Headers.Add("Access-Control-Request-Method", "POST");
        using var response = await _lab.Client.SendAsync(request);
        Assert.That((int)response.StatusCode, Is.EqualTo(405));
        Assert.That(response.Headers.Any(h => h.Key.StartsWith("Access-Control", StringComparison.Ordinal)), Is.False);
    }

    [Test]
    public async Task The_address_given_to_the_browser_works_once()
    {
        await using var lab = await LabFixture.Start();
        var first = lab.Server.FirstAddress;
        using var entered = await lab.Client.GetAsync(first);
        Assert.That((int)entered.StatusCode, Is.EqualTo(302));
        Assert.That(entered.Headers.Location!.ToString(), Is.EqualTo($"/{lab.Token}/"));
        using var again = await lab.Client.GetAsync(first);
        Assert.That((int)again.StatusCode, Is.EqualTo(403));
    }

    [Test]
    public async Task Pages_may_load_and_reach_nothing_else()
    {
        using var response = await _lab.Client.GetAsync("talk");
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.That(policy, Does.StartWith("default-src 'none'").And.Contain("connect-src 'self'")
            .And.Contain("frame-ancestors 'none'").And.Not.Contain("unsafe"));
        Assert.That(response.Headers.GetValues("Referrer-Policy").Single(), Is.EqualTo("no-referrer"));
        Assert.That(response.Headers.CacheControl!.NoStore, Is.True);
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Not.Contain(_lab.Token).And.Not.Contain("://"));
    }

    [TestCase("{", 400)]
    [TestCase("[]", 400)]
    [TestCase("{}", 400)]
    [TestCase("""{"request":"x","sides":[]}""", 400)]
    [TestCase("""{"request":"x","sides":[{},{},{}]}""", 400)]
    [TestCase("""{"request":"x","sides":[{"voice":"nobody"}]}""", 400)]
    [TestCase("""{"request":"x","sides":[{"voice":"dose-0","scale":3}]}""", 400)]
    [TestCase("""{"request":"x","sides":[{"voice":"dose-0","scale":1e999}]}""", 400)]
    [TestCase("""{"request":"  ","sides":[{"voice":"dose-0"}]}""", 400)]
    [TestCase("""{"request":"\ud800","sides":[{"voice":"dose-0"}]}""", 400)]
    [TestCase("""{"request":7,"sides":[{"voice":"dose-0"}]}""", 400)]
    [TestCase("""{"request":"x","sides":[{"voice":"dose-0"}],"other":1}""", 400)]
    [TestCase("""{"request":"x","request":"y","sides":[{"voice":"dose-0"}]}""", 400)]
    [TestCase("""[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]""", 400)]
    public async Task Malformed_requests_are_refused_in_a_sentence(string body, int status)
    {
        var (found, message) = await _lab.Refused("talk", body);
        Assert.That(found, Is.EqualTo(status), message);
        Assert.That(message, Is.Not.Empty.And.Not.Contain("   at ").And.Not.Contain(_lab.Token));
    }

    [Test]
    public async Task A_form_of_another_page_is_no_request() => Assert.That(
        (await _lab.Refused("talk", "request=x", "application/x-www-form-urlencoded")).Status, Is.EqualTo(415));

    [Test]
    public async Task What_is_too_large_is_refused_before_it_is_read()
    {
        var large = $$"""{"request":"{{new string('a', 1 << 20)}}","sides":[{"voice":"dose-0"}]}""";
        using (var request = new HttpRequestMessage(HttpMethod.Post, "api/talk"))
        {
            // The client waits for leave; one that sends at once may only see the connection close.
            request.Headers.ExpectContinue = true;
            request.Content = new StringContent(large, Encoding.UTF8, "application/json");
            using var refused = await _lab.Client.SendAsync(request);
            Assert.That((int)refused.StatusCode, Is.EqualTo(413));
        }

        var longer = $$"""{"request":"{{new string('a', 5000)}}","sides":[{"voice":"dose-0"}]}""";
        Assert.That((await _lab.Refused("talk", longer)).Message, Does.Contain("5000 characters"));
        var tokens = string.Concat(Enumerable.Repeat("kite ", 700));
        using var response = await _lab.Client.PostAsJsonAsync(
            "api/talk", new { request = tokens, sides = new[] { new { voice = "dose-0" } } });
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("tokens with its template"));
    }

    [Test]
    public async Task Two_hundred_at_once_are_answered_or_refused_and_the_next_one_is_answered()
    {
        var statuses = await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ =>
        {
            using var response = await _lab.Client.PostAsJsonAsync("api/talk", Talk());
            await response.Content.ReadAsStringAsync();
            return (int)response.StatusCode;
        }));
        Assert.That(statuses, Has.All.EqualTo(200).Or.EqualTo(429));
        Assert.That(statuses, Has.Some.EqualTo(200));
        Assert.That(await _lab.Events("talk", Talk()), Is.Not.Empty);
        Assert.That((_lab.Server.Workshop.Gate.Running, _lab.Server.Workshop.Gate.Waiting), Is.EqualTo((0, 0)));
        Assert.That(_lab.Log, Is.Empty);
    }

    [Test]
    public async Task A_browser_that_is_gone_leaves_no_computation_behind()
    {
        var gate = _lab.Server.Workshop.Gate;
        var (begun, ended) = (new TaskCompletionSource(), new TaskCompletionSource());
        using var away = new CancellationTokenSource();
        var watching = Task.Run(async () =>
        {
            await foreach (var _ in gate.Stream<int>(
                (tell, cancel) =>
                {
                    tell(1);
                    cancel.WaitHandle.WaitOne();
                    ended.SetResult();
                },
                away.Token))
            {
                begun.SetResult();
            }
        });
        await begun.Task;

        // Behind it, a page asks and is closed while it waits.
        using (var closed = new CancellationTokenSource())
        {
            var asked = _lab.Client.PostAsJsonAsync("api/talk", Talk(), closed.Token);
            await Until(() => gate.Waiting == 1);
            await closed.CancelAsync();
            Assert.That(async () => await asked, Throws.InstanceOf<OperationCanceledException>());
            await Until(() => gate.Waiting == 0);
        }

        await away.CancelAsync();
        await ended.Task;

        // The work may end before its reader is told to; either way the watching ends.
        await Task.WhenAny(watching, Task.Delay(TimeSpan.FromSeconds(10)));
        Assert.That(watching.IsCompleted);
        Assert.That(watching.IsFaulted, Is.False, watching.Exception?.Message);
        await Until(() => gate.Running == 0);
        Assert.That(await _lab.Events("talk", Talk()), Is.Not.Empty);
        Assert.That(_lab.Log, Is.Empty);
    }

    [Test]
    public async Task Bytes_that_are_no_request_do_no_harm()
    {
        using (var socket = new System.Net.Sockets.TcpClient())
        {
            await socket.ConnectAsync("127.0.0.1", _lab.Server.Address.Port);
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes("\0\x01GARBAGE \r\n\r\n"));
            var reply = new byte[64];
            Assert.That(await socket.GetStream().ReadAsync(reply), Is.GreaterThanOrEqualTo(0));
        }

        Assert.That(await _lab.Events("talk", Talk()), Is.Not.Empty);
    }

    private static async Task Until(Func<bool> reached)
    {
        for (var i = 0; i < 1000 && !reached(); i++)
        {
            await Task.Delay(10);
        }

        Assert.That(reached(), "within ten seconds");
    }
}
