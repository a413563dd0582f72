using SafeLlama.Common;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Evaluation;

/// <summary>
/// Scores conversations with a trained reward model or a <c>LlamaForSequenceClassification</c> checkpoint.
/// </summary>
public sealed class EngineRewardModel : IRewardModel, IDisposable
{
    /// <summary>The longest input of the reference models, in tokens.</summary>
    public const int MaxTokens = 512;

    private readonly LlamaSession _session;
    private readonly RewardModel _model;
    private readonly Action<string>? _tell;
    private int _texts, _cut;

    /// <param name="session">The backbone with the reward adapter, if it has one; it outlives this.</param>
    /// <param name="headFolder">Where the head is: the trained folder, or the checkpoint's own.</param>
    /// <param name="tell">
    /// Receives at the end the number of conversations that were longer than <see cref="MaxTokens"/>: their beginning
    /// was left out.
    /// </param>
    /// <exception cref="SafeLlamaException">The folder holds no head.</exception>
    public EngineRewardModel(LlamaSession session, string headFolder, Action<string>? tell = null)
    {
        (_session, _tell) = (session, tell);
        _model = new RewardModel(session.Model, session.Weights, 1);
        try
        {
            _model.LoadHead(headFolder);
        }
        catch
        {
            _model.Dispose();
            throw;
        }
    }

    public string Identity => _session.Identity.Hash;

    public IReadOnlyList<TextScore> Score(IReadOnlyList<string> conversations, CancellationToken cancellation)
    {
        var scores = new List<TextScore>();
        foreach (var text in conversations)
        {
            cancellation.ThrowIfCancellationRequested();
            var (tokens, leftOut) = Encode(_session, text);
            _texts++;
            _cut += leftOut > 0 ? 1 : 0;
            scores.Add(new(_model.Score([tokens])[0], leftOut));
        }

        return scores;
    }

    /// <summary>
    /// A conversation as tokens: the begin token, then its last <see cref="MaxTokens"/> or fewer, since the answer
    /// stands last.
    /// </summary>
    public static (int[] Tokens, int LeftOut) Encode(LlamaSession session, string conversation)
    {
        int[] begin = session.Tokenizer.BosId is { } bos ? [bos] : [];
        var text = session.Tokenizer.Encode(conversation);
        var room = Math.Min(MaxTokens, session.Model.MaxLength) - begin.Length;
        return ([.. begin, .. text.Skip(text.Count - room)], Math.Max(0, text.Count - room));
    }

    public void Dispose()
    {
        if (_cut > 0)
        {
            _tell?.Invoke($"{_cut} of {_texts} conversations were longer than {MaxTokens} tokens; "
                + $"the judge did not read "
                + "their beginning.");
            _cut = 0;
        }

        _model.Dispose();
    }
}
