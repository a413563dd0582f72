using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Study;

/// <summary>A tuned model that is opened at the first request, so a finished arm is never opened.</summary>
/// <param name="open">Opens the model.</param>
/// <param name="identity">The identity that the session will have.</param>
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
