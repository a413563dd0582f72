using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Cli;

/// <summary>A LLaMA with a scalar head over its last token.</summary>
internal sealed class LlamaLearner : RewardLearner
{
    private readonly string _folder;
    private readonly LlamaSession _session;
    private readonly LoraAdapter _adapter;
    private readonly Llama _backbone;
    private readonly RewardModel _model;

    /// <param name="conversations">The most of one batch.</param>
    public LlamaLearner(IBackend backend, string folder, int rank, int conversations, long seed)
    {
        _folder = folder;
        _session = LlamaSession.Open(backend, folder);
        Terminal.Notes(_session.Notes);
        var config = _session.Model.Config;
        _adapter = LoraAdapter.Create(backend, config, new LoraConfig { Rank = rank, Alpha = 2 * rank }, seed);
        _backbone = new Llama(backend, _session.Weights, _adapter, _session.Model.MaxLength);
        _model = new RewardModel(_backbone, _session.Weights, conversations);
        _model.Head.InitializeRandom(config.InitializerRange, seed);
    }

    public override string LeftOutEnd => "beginning";

    public override int MaxTokens => EngineRewardModel.MaxTokens;

    public override (int[] Tokens, bool Cut) Encode(string conversation)
    {
        var (tokens, leftOut) = EngineRewardModel.Encode(_session, conversation);
        return (tokens, leftOut > 0);
    }

    public override double Score(int[] tokens) => _model.Score([tokens])[0];

    public override IRewardBackbone ForTraining(int maxRows) => new LlamaBackbone(_model, maxRows);

    public override void Save(string folder)
    {
        PeftFolder.Save(_adapter, folder, _folder);
        _model.SaveHead(folder);
    }

    public override void Dispose()
    {
        _model.Dispose();
        _backbone.Dispose();
        _adapter.Dispose();
        _session.Dispose();
    }
}
