using Microsoft.AspNetCore.Http;

namespace SafeLlama.Lab;

/// <summary>What a room's page may ask.</summary>
internal interface IRoomEndpoints
{
    /// <summary>Paths below <c>api/</c>, each with what answers a POST of JSON there.</summary>
    IReadOnlyList<(string Path, Func<HttpContext, Task> Answer)> Posts { get; }
}
