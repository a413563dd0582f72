namespace SafeLlama.Evaluation;

/// <summary>A model with a scalar head over conversations.</summary>
public interface IRewardModel
{
    /// <summary>A hash over weights, head, adapter and tokenizer.</summary>
    string Identity { get; }

    /// <summary>One score per conversation, in order: a harmfulness rating or a reward, as it was trained.</summary>
    /// <param name="conversations">Rendered as <c>\n\nHuman: …\n\nAssistant: …</c>.</param>
    IReadOnlyList<TextScore> Score(IReadOnlyList<string> conversations, CancellationToken cancellation);
}
