using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Cli;

/// <summary>A DeBERTa with a head of one output over [CLS]: a rating, or a reward.</summary>
internal sealed class EncoderLearner : RewardLearner
{
    private readonly string _folder;
    private readonly int _conversations;
    private readonly UnigramTokenizer _tokenizer;
    private readonly EncoderWeights _weights;
    private readonly LoraAdapter _adapter;
    private readonly EncoderClassifier _model;
    private EncoderWorkspace? _scoring;

    /// <param name="conversations">The most of one batch.</param>
    public EncoderLearner(IBackend backend, string folder, int rank, int conversations, long seed)
    {
        (_folder, _conversations) = (folder, conversations);
        var config = EncoderConfig.Load(folder) with { Labels = 1 };
        _tokenizer = UnigramTokenizer.Load(folder);
        _weights = EncoderWeights.Load(backend, config, folder, EncoderLearning.Head, seed);
        Terminal.Notes(EncoderSession.NotesOn(folder, _weights, _tokenizer));
        if (_weights.Drawn.Count > 0)
        {
            Terminal.Note($"{folder}: has no head of one output; drawn anew: {string.Join(", ", _weights.Drawn)}.");
        }

        var lora = new LoraConfig { Rank = rank, Alpha = 2 * rank, TargetPattern = LoraConfig.EncoderLinears };
        _adapter = LoraAdapter.Create(backend, LoraSite.Of(config), lora, seed);
        _model = new EncoderClassifier(backend, _weights, EncoderSession.MaxTokens, _adapter);
    }

    public override string LeftOutEnd => "end";

    public override int MaxTokens => EncoderSession.MaxTokens;

    public override (int[] Tokens, bool Cut) Encode(string conversation)
    {
        var (ids, leftOut) = _tokenizer.EncodeInput(conversation, MaxTokens);
        return (ids, leftOut > 0);
    }

    /// <summary>[CLS] what was said before [SEP] the last answer [SEP], as the preference judge puts them.</summary>
    public override (int[] Tokens, bool Cut)? EncodePreference(string conversation)
    {
        const string Asks = "Human:", Answers = "Assistant:";
        var at = conversation.LastIndexOf("\n\n" + Answers, StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }

        var (before, answer) = (conversation[..at].Trim(), conversation[(at + 2 + Answers.Length)..].Trim());
        var single = before.StartsWith(Asks, StringComparison.Ordinal)
            && !before.Contains("\n\n" + Asks, StringComparison.Ordinal);
        var (ids, leftOut) = _tokenizer.EncodePair(single ? before[Asks.Length..].Trim() : before, answer, MaxTokens);
        return (ids, leftOut > 0);
    }

    public override double Score(int[] tokens)
    {
        _scoring ??= new EncoderWorkspace(_model, MaxTokens, 1, forBackward: false);
        return _model.Forward([tokens], _scoring).Logits[0];
    }

    public override IRewardBackbone ForTraining(int maxRows)
    {
        var files = CheckpointFiles.BytesOf(_folder);
        var plan = EncoderBackbone.Plan(_model, maxRows, _conversations, files);
        var available = _model.Backend.MemoryBytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        Terminal.Note($"{MemoryPlan.Size(plan.Total)} planned for batches of up to {maxRows} tokens.");
        plan.RequireFit(available, "judge train");
        return new EncoderBackbone(_model, maxRows, _conversations);
    }

    public override void Save(string folder)
    {
        PeftFolder.Save(_adapter, folder, _folder, "SEQ_CLS");
        _weights.SaveHead(folder);
    }

    public override void Dispose()
    {
        _scoring?.Dispose();
        _model.Dispose();
        _adapter.Dispose();
        _weights.Dispose();
    }
}
