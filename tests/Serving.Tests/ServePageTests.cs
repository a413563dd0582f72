using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using SafeLlama.Testing;

namespace SafeLlama.Serving.Tests;

/// <summary>The requests that <c>docs/serve.md</c> shows, sent to a server.</summary>
[Category("Docs")]
public sealed partial class ServePageTests
{
    [Test]
    public async Task Every_request_of_the_page_is_answered()
    {
        var page = File.ReadAllText(Path.Combine(TestFiles.Root, "docs", "serve.md"));
        var requests = Requests().Matches(page);
        Assert.That(requests, Has.Count.EqualTo(3));
        await using var server = await Fixture.Start(judge: new ServerTests.LengthJudge());
        foreach (Match request in requests)
        {
            var body = request.Groups["body"].Value.Replace("\"tuned\"", "\"one\"", StringComparison.Ordinal);
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await server.Client.PostAsync(request.Groups["path"].Value, content);
            var answer = await response.Content.ReadAsStringAsync();
            Assert.That((int)response.StatusCode, Is.EqualTo(200), answer);
            Assert.That(JsonNode.Parse(answer)!["id"], Is.Not.Null);
        }
    }

    [GeneratedRegex(
        @"^`POST (?<path>[\w/]+)`[^`]*(?:`[^`\n]+`[^`]*)*?\n\n```json\n(?<body>.*?)\n```",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Requests();
}
