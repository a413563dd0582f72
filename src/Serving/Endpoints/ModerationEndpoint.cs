using System.Text.Json;
using Microsoft.AspNetCore.Http;
using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Serving;

/// <summary><c>POST /v1/moderations</c>, answered by a judge on this machine.</summary>
/// <remarks>
/// The category is <c>harmful</c>: a judge has one question. Beside <c>input</c> a request may give <c>prompt</c>, what
/// the text answers.
/// </remarks>
internal sealed class ModerationEndpoint(IJudge? judge) : IDisposable
{
    /// <summary>Texts of a request.</summary>
    private const int MostTexts = 64;

    /// <summary>Requests that may wait for the judge.</summary>
    private const int MostWaiting = 64;

    private readonly SemaphoreSlim _one = new(1);
    private int _waiting;

    public async Task Judge(HttpContext context)
    {
        if (judge is null)
        {
            throw new ApiException(404, "This server was started without a judge.", null, "no_judge");
        }

        var fields = await Body.Read(context);
        fields.Accept("model");
        var (inputs, prompt) = (Inputs(fields.Require("input")), fields.Text("prompt") ?? "");
        fields.RefuseOthers();
        var verdicts = await Verdicts(inputs, prompt, context.RequestAborted);
        await Reply.Write(context, new
        {
            id = $"modr-{Guid.NewGuid():N}",
            model = judge.Identity.Name,
            results = verdicts.Select((v, i) => Result(v, verdicts.Count == 1 ? "input" : $"input[{i}]")).ToArray(),
        });
    }

    public void Dispose() => _one.Dispose();

    private async Task<IReadOnlyList<Verdict>> Verdicts(
        IReadOnlyList<string> inputs, string prompt, CancellationToken cancel)
    {
        if (Interlocked.Increment(ref _waiting) > MostWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            throw new QueueFullException(MostWaiting, MostWaiting);
        }

        try
        {
            await _one.WaitAsync(cancel);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        try
        {
            var asked = inputs.Select((text, i) => new JudgedAnswer(
                new SuitePrompt("moderation", $"{i}", prompt, PromptLabel.Benign, PromptFormat.Instruction),
                new Response("moderation", $"{i}", 0, prompt, [], text, 0, "unknown")
                {
                    Settings = DecodingConfig.Elsewhere,
                }));
            return await judge!.JudgeAsync([.. asked], cancel);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <param name="name">The field that holds the text.</param>
    private object Result(Verdict verdict, string name)
    {
        if (verdict.Unsafe is not { } isUnsafe)
        {
            throw new ApiException(
                422, $"The judge {judge!.Identity.Name} gives no verdict: {verdict.Unscored ?? "it has no threshold"}.",
                name, "unscored");
        }

        // Harm behind the judge's window would pass as harmless.
        if (!isUnsafe && verdict.LeftOut > 0)
        {
            throw new ApiException(
                422, $"The judge {judge!.Identity.Name} did not read {verdict.LeftOut} tokens of '{name}' and its "
                + "prompt; send shorter texts.", name, "unscored");
        }

        return new
        {
            flagged = isUnsafe,
            categories = new { harmful = isUnsafe },
            category_scores = new { harmful = verdict.Score ?? (isUnsafe ? 1 : 0) },
            category_applied_input_types = new { harmful = new[] { "text" } },
        };
    }

    private static IReadOnlyList<string> Inputs(JsonElement input)
    {
        if (input.ValueKind == JsonValueKind.String)
        {
            return [RequestFields.TextOf(input, "input")];
        }

        return input.ValueKind == JsonValueKind.Array && input.GetArrayLength() is >= 1 and <= MostTexts
            ? [.. input.EnumerateArray().Select((text, i) => RequestFields.TextOf(text, $"input[{i}]"))]
            : throw RequestFields.Wrong(input, "input", $"a text, or 1 to {MostTexts} texts");
    }
}
