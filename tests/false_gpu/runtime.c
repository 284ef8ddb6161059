/* A false CUDA runtime: every call that torch makes succeeds, there is one "NVIDIA H100", launches do nothing.
   Memory is the host's. rehearse.py puts this library in front of the real one. */
#define _GNU_SOURCE
#include <cuda_runtime_api.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#define OK cudaSuccess
static int dev=0; static int tok;
static int stubd(void){return 0;}
static int ctxstate(int d, unsigned*f,int*a){ if(f)*f=0; if(a)*a=1; return 0;}
cudaError_t cudaGetDeviceCount(int*c){*c=1;return OK;}
cudaError_t cudaGetDevice(int*d){*d=dev;return OK;}
cudaError_t cudaSetDevice(int d){return OK;}
cudaError_t cudaDriverGetVersion(int*v){*v=13000;return OK;}
cudaError_t cudaRuntimeGetVersion(int*v){*v=13000;return OK;}
cudaError_t cudaGetLastError(void){return OK;}
cudaError_t cudaPeekAtLastError(void){return OK;}
cudaError_t cudaDeviceGetStreamPriorityRange(int*a,int*b){*a=0;*b=-5;return OK;}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t*s,unsigned f,int p){*s=(cudaStream_t)malloc(64);return OK;}
cudaError_t cudaStreamQuery(cudaStream_t s){return OK;}
cudaError_t cudaStreamSynchronize(cudaStream_t s){return OK;}
cudaError_t cudaDeviceSynchronize(void){return OK;}
cudaError_t cudaStreamWaitEvent(cudaStream_t s,cudaEvent_t e,unsigned f){return OK;}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t*e,unsigned f){*e=(cudaEvent_t)malloc(64);return OK;}
cudaError_t cudaEventRecord(cudaEvent_t e,cudaStream_t s){return OK;}
cudaError_t cudaEventQuery(cudaEvent_t e){return OK;}
cudaError_t cudaEventSynchronize(cudaEvent_t e){return OK;}
cudaError_t cudaEventDestroy(cudaEvent_t e){return OK;}
cudaError_t cudaEventElapsedTime(float*f,cudaEvent_t a,cudaEvent_t b){*f=1;return OK;}
cudaError_t cudaStreamIsCapturing(cudaStream_t s,enum cudaStreamCaptureStatus*c){extern int capturing;*c=capturing?cudaStreamCaptureStatusActive:cudaStreamCaptureStatusNone;return OK;}
cudaError_t cudaThreadExchangeStreamCaptureMode(enum cudaStreamCaptureMode*m){return OK;}
cudaError_t cudaDeviceCanAccessPeer(int*c,int a,int b){*c=0;return OK;}
cudaError_t cudaMemGetInfo(size_t*f,size_t*t){*f=80ull<<30;*t=80ull<<30;return OK;}
cudaError_t cudaMalloc(void**p,size_t n){*p=aligned_alloc(2<<20,(n+(2<<20)-1)/(2<<20)*(2<<20));return OK;}
cudaError_t cudaFree(void*p){free(p);return OK;}
cudaError_t cudaMemcpyAsync(void*d,const void*s,size_t n,enum cudaMemcpyKind k,cudaStream_t st){memcpy(d,s,n);return OK;}
cudaError_t cudaMemcpy(void*d,const void*s,size_t n,enum cudaMemcpyKind k){memcpy(d,s,n);return OK;}
cudaError_t cudaMemsetAsync(void*d,int v,size_t n,cudaStream_t st){memset(d,v,n);return OK;}
cudaError_t cudaLaunchKernel(const void*f,dim3 g,dim3 b,void**a,size_t s,cudaStream_t st){return OK;}
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t*c,const void*f,void**a){return OK;}
cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes*a,const void*f){memset(a,0,sizeof*a);a->maxThreadsPerBlock=1024;a->numRegs=32;return OK;}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int*n,const void*f,int b,size_t s,unsigned fl){*n=8;return OK;}
cudaError_t cudaDeviceGetAttribute(int*v,enum cudaDeviceAttr a,int d){
 switch(a){case cudaDevAttrMultiProcessorCount:*v=132;break;case cudaDevAttrComputeCapabilityMajor:*v=9;break;case cudaDevAttrComputeCapabilityMinor:*v=0;break;
 case cudaDevAttrMaxSharedMemoryPerBlockOptin:*v=232448;break;case cudaDevAttrWarpSize:*v=32;break;case cudaDevAttrL2CacheSize:*v=50<<20;break;default:*v=0;}return OK;}
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp*p,int d){memset(p,0,sizeof*p);strcpy(p->name,"NVIDIA H100 80GB HBM3");p->major=9;p->minor=0;p->multiProcessorCount=132;p->totalGlobalMem=85000000000ull;p->warpSize=32;p->maxThreadsPerBlock=1024;p->maxThreadsPerMultiProcessor=2048;p->regsPerMultiprocessor=65536;p->sharedMemPerBlock=49152;p->sharedMemPerBlockOptin=232448;p->sharedMemPerMultiprocessor=233472;p->l2CacheSize=50<<20;p->maxGridSize[0]=2147483647;p->maxGridSize[1]=65535;p->maxGridSize[2]=65535;p->maxThreadsDim[0]=1024;p->maxThreadsDim[1]=1024;p->maxThreadsDim[2]=64;p->memoryBusWidth=5120;p->textureAlignment=512;return OK;}
cudaError_t cudaGetDriverEntryPointByVersion(const char*s,void**f,unsigned v,unsigned long long fl,enum cudaDriverEntryPointQueryResult*q){
 if(getenv("SHIMLOG"))fprintf(stderr,"entry %s\n",s);
 *f=(void*)(strcmp(s,"cuDevicePrimaryCtxGetState")==0?(void*)ctxstate:(void*)stubd); if(q)*q=cudaDriverEntryPointSuccess; return OK;}
cudaError_t cudaHostAlloc(void**p,size_t n,unsigned f){*p=malloc(n);return OK;}
cudaError_t cudaFreeHost(void*p){free(p);return OK;}
cudaError_t cudaStreamCreate(cudaStream_t*s){*s=(cudaStream_t)malloc(64);return OK;}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t*s,unsigned f){*s=(cudaStream_t)malloc(64);return OK;}
cudaError_t cudaEventCreate(cudaEvent_t*e){*e=(cudaEvent_t)malloc(64);return OK;}
cudaError_t cudaDeviceGetPCIBusId(char*c,int n,int d){strcpy(c,"0000:00:00.0");return OK;}
const char* cudaGetErrorName(cudaError_t e){return "stub";}
const char* cudaGetErrorString(cudaError_t e){return "stub";}
cudaError_t cudaStreamGetCaptureInfo(cudaStream_t s,enum cudaStreamCaptureStatus*c,unsigned long long*id,cudaGraph_t*g,const cudaGraphNode_t**d,const cudaGraphEdgeData**e,size_t*n){extern int capturing;*c=capturing?cudaStreamCaptureStatusActive:cudaStreamCaptureStatusNone;if(id)*id=7;if(g)*g=(cudaGraph_t)1;if(n)*n=0;return OK;}
cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes*a,const void*p){memset(a,0,sizeof*a);a->type=cudaMemoryTypeDevice;return OK;}
cudaError_t cudaMemset(void*p,int v,size_t n){memset(p,v,n);return OK;}

int capturing=0; int launches=0;
cudaError_t cudaStreamBeginCapture(cudaStream_t s,enum cudaStreamCaptureMode m){capturing=1;return OK;}
cudaError_t cudaStreamEndCapture(cudaStream_t s,cudaGraph_t*g){capturing=0;*g=(cudaGraph_t)1;return OK;}
cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t*e,cudaGraph_t g,unsigned long long f){*e=(cudaGraphExec_t)1;return OK;}
cudaError_t cudaGraphGetNodes(cudaGraph_t g,cudaGraphNode_t*n,size_t*c){*c=1400;return OK;}
cudaError_t cudaGraphLaunch(cudaGraphExec_t e,cudaStream_t s){launches++;if(getenv("SHIMLOG"))fprintf(stderr,"launch %d\n",launches);return OK;}
