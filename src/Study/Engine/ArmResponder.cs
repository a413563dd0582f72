using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Study;

/// <summary>A tuned model that is opened when the first answer is asked for; a finished arm never is.</summary>
/// <param name="open">Opens the model.</param>
/// <param name="identity">What the session's identity will be.</param>
/// <param name="settings">How it decodes.</param>
internal sealed class ArmResponder(Func<LlamaSession> open, ModelIdentity identity, DecodingConfig settings)
    : IResponder, IDisposable
{
    private LlamaSession? _session;
    private EngineResponder? _responder;

    public string Identity => identity.Hash;

    public DecodingConfig Settings => settings;

    public IReadOnlyList<ModelAnswer> Answer(IReadOnlyList<AnswerRequest> requests, CancellationToken cancellation)
    {
        _session ??= open();
        _responder ??= new EngineResponder(_session, settings);
        return _responder.Answer(requests, cancellation);
    }

    public void Dispose() => _session?.Dispose();
}
