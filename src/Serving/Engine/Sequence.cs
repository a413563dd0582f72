using System.Runtime.InteropServices;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Serving;

/// <summary>A sequence in the engine: prompt and answer so far.</summary>
internal sealed class Sequence
{
    private readonly AnswerText _answer;
    private readonly Sampler _sampler;
    private readonly SequenceGroup _group;
    private readonly int _index;

    public Sequence(SequenceRequest request, SequenceGroup group, int index, ITokenizer tokenizer)
    {
        (Request, _group, _index) = (request, group, index);
        Text = [.. request.Prompt];
        IIncrementalDecoder decoder = request.IsMessage
            ? tokenizer.StartDecoding() : new ContinuationDecoder(tokenizer, request.Prompt);
        _answer = new AnswerText(decoder, request.Stop, request.IsMessage);
        _sampler = new Sampler(request.Decoding, request.Stream);
    }

    public SequenceRequest Request { get; }

    /// <summary>Prompt and answer.</summary>
    public List<int> Text { get; }

    /// <summary>Where its keys and values stand; −1 while it waits.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>Tokens of the prompt that are in the cache.</summary>
    public int Read { get; set; }

    public bool IsReading => Read < Request.Prompt.Length;

    /// <summary>Of the prompt's tokens from the second on, where asked for.</summary>
    public List<TokenScore> PromptScores { get; } = [];

    public int Length => Text.Count - Request.Prompt.Length;

    public bool IsCancelled => _group.Cancelled.IsCancellationRequested;

    /// <summary>Takes the next token from logits, and tells of it.</summary>
    /// <param name="logits">[V] what the model says.</param>
    /// <param name="choice">[V] scratch.</param>
    /// <returns>Whether the sequence has ended.</returns>
    public bool Take(ReadOnlySpan<double> logits, double[] choice)
    {
        logits.CopyTo(choice);
        var token = _sampler.Next(CollectionsMarshal.AsSpan(Text), choice, Length);
        var score = TokenScore.Of(logits, token, Request.Top ?? 0);
        Text.Add(token);
        var offset = _answer.Length;
        var ends = Request.Decoding.EosIds.Contains(token);
        var text = ends ? "" : _answer.Append(token);
        ends |= _answer.IsStopped;
        var isDone = ends || Length >= Request.MaxTokens;
        _group.Tell(new(_index, isDone ? text + _answer.Finish() : text)
        {
            Token = token,
            Offset = offset,
            Score = Request.Top is null ? null : score,
            End = ends ? StopReason.End : isDone ? StopReason.Length : null,
        });
        return isDone;
    }

    public void TellPrompt() => _group.Tell(new(_index, "") { PromptScores = PromptScores });

    /// <summary>A prompt of which only scores were wanted.</summary>
    public void End() => _group.Tell(new(_index, "") { End = StopReason.Length });

    public void Fail(Exception fault) => _group.Fail(fault);
}
