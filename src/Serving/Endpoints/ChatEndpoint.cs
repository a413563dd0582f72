using System.Text;
using Microsoft.AspNetCore.Http;
using SafeLlama.Inference;

namespace SafeLlama.Serving;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal sealed class ChatEndpoint(ServingEngine engine, ServerSettings settings, ServerMetrics metrics)
{
    private readonly TokenTexts _texts = new(engine.Session.Tokenizer);

    public async Task Answer(HttpContext context)
    {
        var request = ChatRequest.Read(engine, await Body.Read(context), settings.Temperature);
        metrics.Asked(request.Model.Id, request.Sequences, request.HoldsMarkers);
        using var group = engine.Submit(request.Sequences, context.RequestAborted);
        var head = new Head("chatcmpl");
        await (request.Streams ? Stream(context, request, group, head) : Whole(context, request, group, head));
    }

    private async Task Whole(HttpContext context, ChatRequest request, SequenceGroup group, Head head)
    {
        var answers = request.Sequences.Select(_ => new Growing()).ToList();
        var tokens = 0;
        await foreach (var update in group.Updates(context.RequestAborted))
        {
            answers[update.Index].Add(update);
            tokens += metrics.Count(update);
        }

        await Reply.Write(context, new ChatCompletion(
            head.Id, "chat.completion", head.Created, request.Model.Id,
            [.. answers.Select((a, i) => new ChatChoice(
                i, new("assistant", a.Text.ToString()), Logprobs(request, a.Scores), Ends.Of(a.End!.Value)))],
            Usage.Of(request.Sequences[0].Prompt.Length, tokens)));
    }

    private async Task Stream(HttpContext context, ChatRequest request, SequenceGroup group, Head head)
    {
        var events = new EventStream(context);
        ChatChunk Chunk(params ChatChunkChoice[] choices) =>
            new(head.Id, "chat.completion.chunk", head.Created, request.Model.Id, choices, null);
        var (begun, tokens) = (new bool[request.Sequences.Count], 0);
        await foreach (var update in group.Updates(context.RequestAborted))
        {
            tokens += metrics.Count(update);
            if (!begun[update.Index])
            {
                begun[update.Index] = true;
                await events.Send(Chunk(new ChatChunkChoice(
                    update.Index, new() { Role = "assistant", Content = "" }, null, null)));
            }

            if (update.Text.Length > 0 || update.Score is not null)
            {
                var scores = Logprobs(request, update.Score is null ? [] : [update.Score]);
                await events.Send(Chunk(new ChatChunkChoice(
                    update.Index, new() { Content = update.Text }, scores, null)));
            }

            if (update.End is { } end)
            {
                await events.Send(Chunk(new ChatChunkChoice(update.Index, new(), null, Ends.Of(end))));
            }
        }

        if (request.TellsUsage)
        {
            await events.Send(Chunk() with { Usage = Usage.Of(request.Sequences[0].Prompt.Length, tokens) });
        }

        await events.Done();
    }

    private ChatLogprobs? Logprobs(ChatRequest request, IEnumerable<TokenScore> scores) =>
        request.Sequences[0].Top is { } top ? new([.. scores.Select(s => ChatLogprobs.Of(_texts, s, top))]) : null;

    private sealed class Growing
    {
        public StringBuilder Text { get; } = new();

        public List<TokenScore> Scores { get; } = [];

        public StopReason? End { get; private set; }

        public void Add(SequenceUpdate update)
        {
            Text.Append(update.Text);
            Scores.AddRange(update.Score is { } score ? [score] : []);
            End ??= update.End;
        }
    }
}
