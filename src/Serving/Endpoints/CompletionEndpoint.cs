using Microsoft.AspNetCore.Http;

namespace SafeLlama.Serving;

/// <summary><c>POST /v1/completions</c>: texts go on, or are scored.</summary>
internal sealed class CompletionEndpoint(ServingEngine engine, ServerSettings settings, ServerMetrics metrics)
{
    private readonly TokenTexts _texts = new(engine.Session.Tokenizer);

    public async Task Answer(HttpContext context)
    {
        var request = CompletionRequest.Read(engine, await Body.Read(context), settings.Temperature);
        metrics.Asked(request.Model.Id, request.Sequences, holdsMarkers: false);
        using var group = engine.Submit(request.Sequences, context.RequestAborted);
        var head = new Head("cmpl");
        var texts = request.Sequences.Select(s => new CompletionText(
            s, request.Echoes, _texts, engine.Session.Tokenizer)).ToList();
        Completion Part(IReadOnlyList<CompletionChoice> choices, Usage? usage) =>
            new(head.Id, "text_completion", head.Created, request.Model.Id, choices, usage);
        var (events, tokens) = (request.Streams ? new EventStream(context) : null, 0);
        await foreach (var update in group.Updates(context.RequestAborted))
        {
            tokens += metrics.Count(update);
            texts[update.Index].Add(update);
            if (events is not null)
            {
                await events.Send(Part([texts[update.Index].Take(update.Index)], null));
            }
        }

        var usage = Usage.Of(PromptTokens(request), tokens);
        if (events is null)
        {
            await Reply.Write(context, Part([.. texts.Select((t, i) => t.Take(i))], usage));
            return;
        }

        if (request.TellsUsage)
        {
            await events.Send(Part([], usage));
        }

        await events.Done();
    }

    /// <summary>A prompt counts once, however many answers it has.</summary>
    private static int PromptTokens(CompletionRequest request) =>
        request.Sequences.Where(s => s.Stream == 0).Sum(s => s.Prompt.Length);
}
