namespace SafeLlama.Serving;

/// <summary>A request that is refused, in the form that clients of OpenAI's interface show to people.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">What is wrong, and what is expected.</param>
/// <param name="param">The field it is about; null for none.</param>
/// <param name="code">A word that programs compare; null for none.</param>
internal sealed class ApiException(int status, string message, string? param = null, string? code = null)
    : Exception(message)
{
    public int Status => status;

    public string? Param => param;

    public string? Code => code;
}
